import { expect, it } from 'vitest';
import { followClock } from './postgres-clock.ts';

it('measures a step of the clock at once, and nothing between steps', async () => {
  const [state, asked] = [{ nowMs: 1_000_000, steadyMs: 0 }, [0]];
  const { clock, stop } = await followClock({
    clock: () => state.nowMs,
    steady: () => state.steadyMs,
    offset: async () => {
      asked.push(state.nowMs);
      return { offsetMs: 1_000_000 + state.steadyMs - state.nowMs, tookMs: 0 };
    },
  });
  state.nowMs += 100;
  state.steadyMs += 100;
  clock();
  expect([clock(), asked.length]).toEqual([1_000_100, 2]);
  state.nowMs += 600_000;
  clock();
  await stop();
  expect([clock(), asked.length]).toEqual([1_000_100, 3]);
  state.nowMs -= 600_000;
  clock();
  await stop();
  expect([clock(), asked.length]).toEqual([1_000_100, 4]);
});
