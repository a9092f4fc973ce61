import { expect, it } from 'vitest';
import { padToInterval } from './constant-time.ts';

it.each([
  [0, 100],
  [1, 99],
  [99.5, 0.5],
  [100, 100],
  [250, 50],
  [-5, 100],
])('after %d ms it waits for %d', async (elapsed, expected) => {
  const waited: number[] = [];
  await padToInterval(elapsed, async (ms) => waited.push(ms));
  expect(waited).toEqual([expected]);
});
