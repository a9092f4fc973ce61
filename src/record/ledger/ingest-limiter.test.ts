// A simulated log: lines arrive at a rate, and the ledger looks at it every 200 ms.
import { describe, expect, it } from 'vitest';
import { BATCH_LINES } from './ingest.ts';
import { LONGEST_LAG_MS, LOOK_MS, readsOn } from './ingest-limiter.ts';

interface Run {
  readonly longestLagMs: number;
  readonly lastLagMs: number;
  /** Batches of each look. */
  readonly batches: readonly number[];
}

/** `rate`: lines a second. */
function simulate(rate: (second: number) => number, seconds: number): Run {
  const arrivals = createArrivals();
  let [read, longestLagMs, lagMs] = [0, 0, 0];
  const batches: number[] = [];
  for (let nowMs = LOOK_MS; nowMs <= seconds * 1000; nowMs += LOOK_MS) {
    arrivals.add(nowMs, rate(nowMs / 1000));
    let taken = 0;
    do {
      taken += 1;
      read = Math.min(arrivals.count(), read + BATCH_LINES);
      lagMs = read === arrivals.count() ? 0 : nowMs - arrivals.timeOf(read);
    } while (read < arrivals.count() && readsOn(taken, lagMs));
    batches.push(taken);
    longestLagMs = Math.max(longestLagMs, lagMs);
  }
  return { longestLagMs, lastLagMs: lagMs, batches };
}

/** Lines arrive evenly between two looks. One entry a look: an entry for each line takes seconds to collect. */
function createArrivals() {
  const looks: { readonly until: number; readonly atMs: number; readonly perMs: number }[] = [];
  let [total, at] = [0, 0];
  return {
    add(atMs: number, perSecond: number): void {
      total += (perSecond * LOOK_MS) / 1000;
      looks.push({ until: total, atMs, perMs: perSecond / 1000 });
    },
    count: () => Math.ceil(total),
    /** Call it with rising numbers. */
    timeOf(line: number): number {
      while ((looks[at]?.until ?? Number.POSITIVE_INFINITY) <= line) at += 1;
      const { until, atMs, perMs } = looks[at] ?? { until: line, atMs: 0, perMs: 1 };
      return atMs - (until - line) / perMs;
    },
  };
}

describe('the limit of what the ledger reads', () => {
  it.each([1_000, 2_000, 3_500, 5_000])('lets it keep up with %i lines a second for five minutes', (rate) => {
    expect(simulate(() => rate, 300).longestLagMs).toBeLessThan(LOOK_MS);
  });

  it.each([10_000, 20_000, 40_000])('stays at four batches a look during a flood of half a minute: %i lines a second', (rate) => {
    const { batches, lastLagMs } = simulate((second) => (second < 1 ? 100 : rate), 30);
    expect(Math.max(...batches)).toBe(4);
    expect(lastLagMs).toBeGreaterThan(2_000);
  });

  it.each([10_000, 20_000, 40_000])('ends when the lag exceeds half a minute: %i lines a second', (rate) => {
    expect(simulate(() => rate, 600).longestLagMs).toBeLessThanOrEqual(LONGEST_LAG_MS);
  });

  it('lets it catch up after a flood, and then take as few batches as before', () => {
    const { lastLagMs, batches } = simulate((second) => (second < 60 ? 10_000 : 500), 300);
    expect(lastLagMs).toBe(0);
    expect(batches.slice(-50).every((count) => count === 1)).toBe(true);
  });

  it('holds in a burst of a fifth of a second, and the next looks read the rest', () => {
    const { longestLagMs, batches } = simulate((second) => (Math.round(second * 5) % 5 === 0 ? 10_000 : 0.001), 60);
    expect(longestLagMs).toBeLessThan(2_000);
    expect(Math.max(...batches)).toBe(4);
  });
});
