// A simulated machine: lines come at a rate, each look is 200 ms, a batch is 250 lines; whether others wait for the core is given.
import { describe, expect, it } from 'vitest';
import { createPace, FLOOD_LAG_MS, LAG_MS, type Pace } from './pace.ts';

const LOOK_MS = 200;
const BATCH = 250;

interface Run {
  readonly mostLagMs: number;
  readonly lastLagMs: number;
  /** Batches of each look. */
  readonly batches: readonly number[];
}

function simulate(pace: Pace, rate: (second: number) => number, seconds: number): Run {
  const arrivals: number[] = [];
  let [read, made, mostLagMs, lagMs] = [0, 0, 0, 0];
  const batches: number[] = [];
  for (let nowMs = LOOK_MS; nowMs <= seconds * 1000; nowMs += LOOK_MS) {
    for (made += (rate(nowMs / 1000) * LOOK_MS) / 1000; arrivals.length < made; ) arrivals.push(nowMs);
    pace.begin();
    let taken = 0;
    for (let goesOn = true; goesOn; ) {
      taken += 1;
      read = Math.min(arrivals.length, read + BATCH);
      lagMs = read === arrivals.length ? 0 : nowMs - (arrivals[read] ?? nowMs);
      goesOn = pace.goesOn({ more: read < arrivals.length, lagMs });
    }
    batches.push(taken);
    mostLagMs = Math.max(mostLagMs, lagMs);
  }
  return { mostLagMs, lastLagMs: lagMs, batches };
}

const crowded = () => createPace({ look: () => true });
const free = () => createPace({ look: () => false });
/** What was there before: one batch a look, whatever waits. */
const formerly: Pace = { begin: () => undefined, goesOn: () => false };

describe('on a machine whose cores others wait for', () => {
  it('keeps up with 2,000 lines a second for five minutes, never two seconds behind', () => {
    expect(simulate(crowded(), () => 2_000, 300).mostLagMs).toBeLessThan(2_000);
    expect(simulate(formerly, () => 2_000, 300).mostLagMs).toBeGreaterThan(60_000);
  });

  it.each([1_000, 2_000, 3_500])('is never two seconds behind at %i lines a second', (rate) => {
    expect(simulate(crowded(), () => rate, 300).mostLagMs).toBeLessThan(2_000);
  });

  it.each([5_000, 10_000, 20_000])('does not fall behind without end at %i lines a second', (rate) => {
    const { mostLagMs } = simulate(crowded(), () => rate, 600);
    expect(mostLagMs).toBeLessThan(2 * FLOOD_LAG_MS);
    expect(simulate(crowded(), (second) => (second < 300 ? rate : 100), 600).lastLagMs).toBeLessThan(2 * LAG_MS);
  });

  it('takes three batches at most for a flood of half a minute', () => {
    expect(Math.max(...simulate(crowded(), () => 20_000, 30).batches)).toBe(3);
  });

  it('takes no more for a flood of two seconds than one or two batches more, towards its end', () => {
    const { batches } = simulate(crowded(), () => 40_000, 2);
    expect(batches.slice(0, 4)).toEqual([1, 1, 1, 1]);
    expect(Math.max(...batches)).toBeLessThanOrEqual(3);
  });

  it('leaves the cores again when it has caught up', () => {
    const { batches } = simulate(crowded(), (second) => (second < 60 ? 10_000 : 500), 300);
    expect(batches.slice(-50).every((count) => count === 1)).toBe(true);
  });
});

it('takes everything at once on a machine with free cores', () => {
  expect(simulate(free(), () => 20_000, 10).mostLagMs).toBe(0);
});
