// A histogram of durations.
import type { HistogramState } from './exposition.ts';

export interface Histogram {
  observe(seconds: number): void;
  state(): HistogramState;
}

/** The value below which this share of the observations is, in seconds, as a bound of a bucket. Null: there is none. */
export function quantileOf({ bounds, counts }: HistogramState, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  const index = counts.findIndex((count) => {
    below += count;
    return below >= total * share;
  });
  return bounds[index] ?? bounds.at(-1) ?? null;
}

export const REQUEST_SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
export const DECISION_SECONDS: readonly number[] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  let sum = 0;
  return {
    observe(seconds) {
      let index = 0;
      while (index < bounds.length && seconds > (bounds[index] ?? 0)) index += 1;
      counts[index] = (counts[index] ?? 0) + 1;
      sum += seconds;
    },
    state: () => ({ bounds, counts: [...counts], sum }),
  };
}
