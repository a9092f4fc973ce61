// Interleaved rounds: in each, everything that is compared runs once, in an order that turns from round to round.
import type { Progress } from '../demo/progress.ts';

export interface Contender<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/** Name -> what each round measured, in the order of the rounds. */
export async function interleaved<T>(
  contenders: readonly Contender<T>[],
  rounds: number,
  progress: Progress,
  what: string,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const measured = new Map<string, T[]>(contenders.map(({ name }) => [name, []]));
  await progress.step(
    what,
    async (update) => {
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, measure } of turned(contenders, round)) {
          update(`round ${round + 1} of ${rounds}: ${name}`);
          measured.get(name)?.push(await measure());
        }
      }
    },
    () => `${what}: ${rounds} rounds`,
  );
  return measured;
}

/** Nobody is always first, when caches are cold, or always behind the same neighbour. */
function turned<T>(items: readonly T[], by: number): readonly T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
