// Counters and histograms of the ledger's records.
import type { Family, Sample } from './exposition.ts';
import { createHistogram, type Histogram, REQUEST_SECONDS } from './histogram.ts';

export interface CountedRow {
  readonly request_id: string | null;
  readonly action: string | null;
  readonly decision: string | null;
  readonly reason: string | null;
  readonly mode: string | null;
  readonly path_taken: string | null;
  readonly status: number | null;
  readonly duration_ms: number | null;
  readonly upstream_ms: number | null;
  readonly service: string | null;
  readonly cache: string | null;
}

export interface Counts {
  add(row: CountedRow): void;
  families(): readonly Family[];
}

/** Above this number of label combinations, `other` counts the rest: memory and scrapes stay small. */
const MOST_SERIES = 2_000;

export function createCounts(): Counts {
  const requests = createCounter(['action', 'decision', 'path']);
  const refusals = createCounter(['reason', 'path']);
  const observed = createCounter(['reason', 'path']);
  const denialsOf = (mode: string | null) => (mode === 'observe' ? observed : refusals);
  const responses = createCounter(['class', 'path']);
  const events = createCounter(['action']);
  const cacheAnswers = createCounter(['service', 'cache']);
  const durations = new Map<string, Histogram>();
  const upstreams = new Map<string, Histogram>();
  return {
    add(row) {
      const path = row.path_taken ?? 'none';
      // Not a request: a start, a reload, a change of a token.
      if (row.request_id === null) return events.add([row.action ?? 'none']);
      requests.add([row.action ?? 'none', row.decision ?? 'none', path]);
      if (row.decision === 'deny') denialsOf(row.mode).add([row.reason ?? 'none', path]);
      if (row.cache !== null) cacheAnswers.add([String(row.service), row.cache]);
      if (row.status !== null) responses.add([`${Math.floor(row.status / 100)}xx`, path]);
      observe(durations, path, row.duration_ms);
      observe(upstreams, path, row.upstream_ms);
    },
    families: () => [
      { name: 'requests_total', type: 'counter', help: 'Requests, by action, decision and way to Prefect.', samples: requests.samples() },
      { name: 'refusals_total', type: 'counter', help: 'Refused requests, by reason (docs/reference/errors.md).', samples: refusals.samples() },
      {
        name: 'observed_denials_total',
        type: 'counter',
        help: 'Requests that observe mode let through, by reason of the denial.',
        samples: observed.samples(),
      },
      { name: 'responses_total', type: 'counter', help: 'Answers, by class of status.', samples: responses.samples() },
      { name: 'events_total', type: 'counter', help: 'Records that are no request: starts, reloads, changes of tokens and locks.', samples: events.samples() },
      { name: 'service_cache_total', type: 'counter', help: 'Calls of services with a cache, by result.', samples: cacheAnswers.samples() },
      { name: 'request_duration_seconds', type: 'histogram', help: 'How long requests took, at the edge.', samples: histograms(durations) },
      { name: 'upstream_duration_seconds', type: 'histogram', help: 'How much of it was Prefect.', samples: histograms(upstreams) },
    ],
  };
}

function createCounter<const Names extends readonly string[]>(names: Names) {
  const series = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  return {
    add(labels: readonly string[]): void {
      const isFull = series.size >= MOST_SERIES && !series.has(labels.join('\n'));
      const values = isFull ? names.map(() => OTHER) : labels;
      const key = values.join('\n');
      const known = series.get(key);
      if (known !== undefined) {
        known.value += 1;
        return;
      }
      series.set(key, { labels: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])), value: 1 });
    },
    samples: (): readonly Sample[] => [...series.values()].map(({ labels, value }) => ({ labels, value })),
  };
}

const OTHER = 'other';

function observe(all: Map<string, Histogram>, path: string, ms: number | null): void {
  if (ms === null) return;
  const known = all.get(path) ?? createHistogram(REQUEST_SECONDS);
  all.set(path, known);
  known.observe(ms / 1000);
}

function histograms(all: ReadonlyMap<string, Histogram>) {
  return [...all].map(([path, histogram]) => ({ labels: { path }, histogram: histogram.state() }));
}
