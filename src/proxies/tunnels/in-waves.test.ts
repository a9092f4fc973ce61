import { expect, it } from 'vitest';
import { inWaves } from './in-waves.ts';

/** How many have ended before each pause, and at the end. */
async function endedOf(count: number): Promise<readonly number[]> {
  const ended: number[] = [];
  const seen: number[] = [];
  await inWaves(
    Array(count).keys(),
    (one) => ended.push(one),
    async () => seen.push(ended.length),
  );
  return [...seen, ended.length];
}

it('ends few connections at once', async () => expect(await endedOf(50)).toEqual([50]));

it('ends many in waves, with a pause between them', async () => {
  const seen = await endedOf(8_000);
  expect([seen.length, seen[0], seen[1], seen.at(-1)]).toEqual([20, 400, 800, 8_000]);
});
