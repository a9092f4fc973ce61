// Reads single numbers from metric families.
import type { Family, HistogramState } from '../../../../record/metrics/exposition.ts';
import { quantileOf } from '../../../../record/metrics/histogram.ts';

export interface Numbers {
  /** Null: unknown. */
  gauge(name: string): number | null;
  /** Over all labels. */
  total(name: string): number;
  /** How often a histogram was observed, over all labels. */
  observations(name: string): number;
  quantile(name: string, share: number): number | null;
}

export function createNumbers(families: readonly Family[]): Numbers {
  const valuesOf = (name: string): readonly number[] =>
    families.flatMap((family) => (family.name === name && family.type !== 'histogram' ? family.samples.map(({ value }) => value) : []));
  const histogramsOf = (name: string): readonly HistogramState[] =>
    families.flatMap((family) => (family.name === name && family.type === 'histogram' ? family.samples.map(({ histogram }) => histogram) : []));
  return {
    gauge: (name) => valuesOf(name)[0] ?? null,
    total: (name) => sum(valuesOf(name)),
    observations: (name) => sum(histogramsOf(name).flatMap(({ counts }) => counts)),
    quantile: (name, share) => quantileOf(joined(histogramsOf(name)), share),
  };
}

/** Of the same bounds. */
function joined(histograms: readonly HistogramState[]): HistogramState {
  const [{ bounds, counts } = { bounds: [], counts: [] }] = histograms;
  return { bounds, counts: counts.map((_, at) => sum(histograms.map((histogram) => histogram.counts[at] ?? 0))), sum: sum(histograms.map((each) => each.sum)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
