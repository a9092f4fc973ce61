// Prometheus' text format, version 0.0.4.
//
// Own code, because OpenTelemetry's exporter opens its own listener and counts with objects on the request path.

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramState {
  /** Upper bounds in seconds, ascending. */
  readonly bounds: readonly number[];
  /** Observations of each bucket, and at the end those above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface HistogramSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly histogram: HistogramState;
}

/** Names without the prefix `lictor_`. */
export type Family = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
);

export function gauge(name: string, help: string, value: number | undefined): Family {
  return { name, help, type: 'gauge', samples: sample(value) };
}

/** An unknown value has no sample. */
export function sample(value: number | undefined): readonly Sample[] {
  return value === undefined || !Number.isFinite(value) ? [] : [{ value }];
}

/** Labels are bounded: no ids and no principals, only the catalogue, the reasons and the configuration. */
export function renderFamilies(families: readonly Family[]): string {
  return families.map(renderFamily).join('');
}

function renderFamily(family: Family): string {
  const name = `lictor_${family.name}`;
  const lines =
    family.type === 'histogram'
      ? family.samples.flatMap(({ labels, histogram }) => histogramLines(name, labels ?? {}, histogram))
      : family.samples.map(({ labels, value }) => line(name, labels ?? {}, value));
  return `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n${lines.join('')}`;
}

function histogramLines(name: string, labels: Readonly<Record<string, string>>, { bounds, counts, sum }: HistogramState): readonly string[] {
  let below = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, index) => {
    below += counts[index] ?? 0;
    return line(`${name}_bucket`, { ...labels, le }, below);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, below)];
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}
