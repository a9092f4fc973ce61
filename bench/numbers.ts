// Samples of several rounds -> median and range; ratios are taken within a round, so that a machine's drift cancels.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of at least one number; NaN in all three of none. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: percentile(sorted, 50), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Of each round: the one divided by the other. */
export function ratios(values: readonly number[], bases: readonly number[]): Spread {
  return spread(values.map((value, round) => value / (bases[round] ?? Number.NaN)));
}

/** Of each round: the one minus the other. */
export function differences(values: readonly number[], bases: readonly number[]): Spread {
  return spread(values.map((value, round) => value - (bases[round] ?? Number.NaN)));
}

/** Between neighbours for the median; the nearest rank elsewhere. `sorted` ascends. */
export function percentile(sorted: readonly number[], percent: number): number {
  const middle = sorted.length / 2;
  if (percent === 50 && Number.isInteger(middle)) return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
