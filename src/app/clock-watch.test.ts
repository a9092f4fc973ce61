import { beforeEach, expect, it } from 'vitest';
import { createClockWatch } from './clock-watch.ts';

let nowMs: number;
let steadyMs: number;
let swept: number;
let fails: boolean;
let warnings: string[];
let look: () => Promise<void>;

beforeEach(() => {
  [nowMs, steadyMs, swept, fails, warnings] = [1_700_000_000_000, 5, 0, false, []];
  look = createClockWatch({
    clock: () => nowMs,
    steady: () => steadyMs,
    sweep: async () => {
      if (fails) throw new Error('EACCES');
      swept += 1;
    },
    warn: (text) => warnings.push(text),
  });
});

function pass(ms: number, putMs = 0): Promise<void> {
  nowMs += ms + putMs;
  steadyMs += ms;
  return look();
}

it.each([-1_000, -3_600_000])('a clock that is set back by %i ms is reported, and the caches are purged, once', async (putMs) => {
  await pass(1_000, putMs);
  await pass(1_000);
  expect([swept, warnings]).toEqual([1, [expect.stringContaining(`put back by ${-putMs / 1000} s`)]]);
});

it.each([0, -900, 3_600_000])('twin: one that is put by %i ms at each look is not: slewed, or ahead', async (putMs) => {
  for (let times = 0; times < 5; times += 1) await pass(1_000, putMs);
  expect([swept, warnings]).toEqual([0, []]);
});

it('a look that comes late, or after a sleep of the machine, is none of it', async () => {
  await pass(60_000);
  nowMs += 3_600_000;
  await look();
  expect(swept).toBe(0);
});

it('a cache that could not be purged is tried again at the next check, and reported once', async () => {
  fails = true;
  await expect(pass(1_000, -5_000)).rejects.toThrow('EACCES');
  await expect(pass(1_000)).rejects.toThrow('EACCES');
  fails = false;
  await pass(1_000);
  await pass(1_000);
  expect([swept, warnings.length]).toEqual([1, 1]);
});
