// Prometheus' text format, version 0.0.4: what a scrape is answered with.
//
// Some forty lines of fixed text. OpenTelemetry's exporter for it would open a listener of its own, and count by objects on the paths that are to stay quick.

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramState {
  /** Upper bounds in seconds, ascending. */
  readonly bounds: readonly number[];
  /** How many fell below each bound and not below the one before; one more at the end, for those above all. */
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

/** No family names an id or a principal: what labels hold is bounded by the catalogue, the list of reasons and the configuration. */
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
