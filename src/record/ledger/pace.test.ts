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

function simulate(pace: Pace, rate: (second: number) => number, seconds: number, lookMs = LOOK_MS): Run {
  const arrivals = createArrivals();
  let [read, mostLagMs, lagMs] = [0, 0, 0];
  const batches: number[] = [];
  for (let nowMs = lookMs; nowMs <= seconds * 1000; nowMs += lookMs) {
    arrivals.add(nowMs, rate(nowMs / 1000) / 1000, lookMs);
    let taken = 0;
    if (!pace.begin(nowMs)) {
      batches.push(taken);
      continue;
    }
    for (let goesOn = true; goesOn; ) {
      taken += 1;
      read = Math.min(arrivals.count(), read + BATCH);
      lagMs = read === arrivals.count() ? 0 : nowMs - arrivals.timeOf(read);
      goesOn = pace.goesOn({ more: read < arrivals.count(), lagMs, lines: arrivals.count() });
    }
    batches.push(taken);
    mostLagMs = Math.max(mostLagMs, lagMs);
  }
  return { mostLagMs, lastLagMs: lagMs, batches };
}

/** Lines that arrive evenly between two looks. One entry a look: millions of single times take seconds to collect. */
function createArrivals() {
  const looks: { readonly made: number; readonly atMs: number; readonly perMs: number }[] = [];
  let [made, at] = [0, 0];
  return {
    add(atMs: number, perMs: number, lookMs: number): void {
      made += perMs * lookMs;
      looks.push({ made, atMs, perMs });
    },
    count: () => Math.ceil(made),
    /** Ask for lines in their order. */
    timeOf(line: number): number {
      while ((looks[at]?.made ?? Number.POSITIVE_INFINITY) <= line) at += 1;
      const { made: until, atMs, perMs } = looks[at] ?? { made: line, atMs: 0, perMs: 1 };
      return atMs - (until - line) / perMs;
    },
  };
}

const crowded = () => createPace({ look: () => true });
const free = () => createPace({ look: () => false });
/** What was there before: one batch a look, whatever waits. */
const formerly: Pace = { begin: () => true, goesOn: () => false };

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

  it.each([10_000, 20_000, 40_000])('takes no batch more for a flood of half a minute: %i lines a second', (rate) => {
    const { batches } = simulate(crowded(), (second) => (second < 1 ? 100 : rate), 30);
    expect(Math.max(...batches)).toBe(1);
  });

  it.each([
    [10_000, 200],
    [20_000, 200],
    [40_000, 200],
    [20_000, 245],
    [20_000, 320],
  ])('looks once in five at a flood that it cannot keep up with: %i lines a second, every %i ms', (rate, lookMs) => {
    const { batches } = simulate(crowded(), (second) => (second < 1 ? 100 : rate), 29, lookMs);
    const taken = batches.slice(-60).reduce((sum, count) => sum + count, 0);
    expect(taken).toBeGreaterThanOrEqual(11);
    expect(taken).toBeLessThanOrEqual(13);
  });

  it('does not take for a flood what comes in bursts of a fifth of a second', () => {
    const { mostLagMs, batches } = simulate(crowded(), (second) => (Math.round(second * 5) % 5 === 0 ? 10_000 : 0.001), 60);
    expect(mostLagMs).toBeLessThan(2_000);
    expect(batches.slice(5).every((count) => count >= 1)).toBe(true);
  });

  it('takes three batches at most, within half a minute, for what is no flood and more than they keep up with', () => {
    expect(Math.max(...simulate(crowded(), () => 5_000, 30).batches)).toBe(3);
  });

  it('believes no single batch that ran undisturbed', () => {
    let looked = 0;
    const look = (): boolean => {
      looked += 1;
      return looked % 3 !== 0;
    };
    const seldomFree = createPace({ look });
    expect(Math.max(...simulate(seldomFree, () => 20_000, 10).batches)).toBe(1);
  });

  it('takes everything again a second after the crowd has gone', () => {
    let isCrowd = true;
    const pace = createPace({ look: () => isCrowd });
    simulate(pace, () => 20_000, 5);
    isCrowd = false;
    expect(simulate(pace, () => 20_000, 5).lastLagMs).toBe(0);
  });

  it('leaves the cores again when it has caught up', () => {
    const { batches } = simulate(crowded(), (second) => (second < 60 ? 10_000 : 500), 300);
    expect(batches.slice(-50).every((count) => count === 1)).toBe(true);
  });
});

it('takes everything at once on a machine with free cores', () => {
  expect(simulate(free(), () => 20_000, 10).mostLagMs).toBe(0);
});
