// Interleaved rounds: in each, everything that is compared runs once, in an order that turns from round to round.
import type { Progress } from '../demo/progress.ts';

export interface Contender<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
  /** Ends what it goes on with in the background, so that the next one is measured alone. */
  readonly settle?: () => Promise<void>;
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
        for (const { name, measure, settle } of turned(contenders, round)) {
          update(`round ${round + 1} of ${rounds}: ${name}`);
          measured.get(name)?.push(await measure());
          await settle?.();
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
