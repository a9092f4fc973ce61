// The numbers of the health view as people read them.
import type { Tone } from '../../parts/tag.tsx';
import type { Health, Point } from './queries.ts';

/** `1,234`, `12.3k`, `4.5M`. */
export function short(value: number): string {
  if (value < 10_000) return Math.round(value).toLocaleString('en');
  return value < 1_000_000 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1_000_000).toFixed(1)}M`;
}

/** `0.4 ms`, `12 ms`, `1.2 s`. Null: no measurement. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return '–';
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 10 ? `${Number(ms.toFixed(1))} ms` : `${Math.round(ms)} ms`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

export function bytes(count: number | null): string {
  if (count === null) return '–';
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const share = (100 * part) / whole;
  return `${share > 0 && share < 10 ? share.toFixed(1) : Math.round(share)} %`;
}

/** Requests per second over the last whole minute. Null: no points. */
export function ratePerSecond(points: readonly Pick<Point, 'requests'>[], intervalSeconds: number): number | null {
  // The last interval has not ended.
  const last = points.slice(-1 - 60 / intervalSeconds, -1);
  if (last.length === 0) return null;
  return last.reduce((sum, { requests }) => sum + requests, 0) / (last.length * intervalSeconds);
}

/** `3.2/s`, `0.05/s`. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return '–';
  return `${perSecond >= 10 ? Math.round(perSecond) : Number(perSecond.toFixed(perSecond < 1 ? 2 : 1))}/s`;
}

type Totals = Pick<Health['edge'], 'requests_total' | 'decisions_total'>;

/** The share of requests whose decision came from the cache of the edge, since `first`. Null: too few requests, or a restart. */
export function cachedShare(first: Totals, now: Totals): number | null {
  const requests = now.requests_total - first.requests_total;
  const decisions = now.decisions_total - first.decisions_total;
  if (requests < 5 || decisions < 0) return null;
  return Math.min(1, Math.max(0, 1 - decisions / requests));
}

/** How long ago, in seconds. Null: never. */
export function ageSeconds(iso: string | null, nowMs: number): number | null {
  return iso === null ? null : Math.max(0, Math.round((nowMs - Date.parse(iso)) / 1000));
}

const STATUS: Readonly<Record<Health['status'], readonly [tone: Tone, text: string]>> = {
  ready: ['good', 'Everything works'],
  degraded: ['warn', 'Reads work, changes are refused'],
  'not-ready': ['bad', 'Something is away'],
};

export function statusWords(status: Health['status']): readonly [tone: Tone, text: string] {
  return STATUS[status];
}

const SERVERS: Readonly<Record<Health['prefect_servers'][number]['state'], readonly [tone: Tone, text: string]>> = {
  usable: ['good', 'answers'],
  slow: ['warn', 'slow'],
  refuses: ['bad', 'refuses our credential'],
  away: ['bad', 'away'],
};

export function serverWords(state: Health['prefect_servers'][number]['state']): readonly [tone: Tone, text: string] {
  return SERVERS[state];
}

type Read = Health['identity_providers'][number]['metadata'];

/** A failure counts until a later read has succeeded. */
export function readWords(read: Read): readonly [tone: Tone, text: string] {
  if (read === null) return ['plain', 'none'];
  if (read.failed_at !== null && (read.read_at === null || read.failed_at > read.read_at)) return ['bad', 'cannot be read'];
  return read.read_at === null ? ['plain', 'not read yet'] : ['good', 'known'];
}

type SharedNode = NonNullable<Health['shared_store']>['nodes'][number];

/** What is wrong with a node, or that it lives. */
export function nodeWords({ live, same_configuration, same_policies, chain }: SharedNode): readonly (readonly [tone: Tone, text: string])[] {
  const found: (readonly [Tone, string])[] = [live ? ['good', 'live'] : ['warn', 'away']];
  if (live && same_configuration === false) found.push(['warn', 'other configuration']);
  if (live && same_policies === false) found.push(['warn', 'other policies']);
  if (chain !== null && chain.problem !== null) found.push(['bad', 'records rejected']);
  else if (chain?.late === true) found.push(['warn', 'no newer head']);
  return found;
}

const LATE_SECONDS = 120;

/** A worker sends a heartbeat every 30 seconds. */
export function isLate(lastSeenAt: string, nowMs: number): boolean {
  return (ageSeconds(lastSeenAt, nowMs) ?? 0) > LATE_SECONDS;
}

/** The columns of a chart: times in seconds, then each series. */
export function columnsOf(points: readonly Point[], series: readonly (keyof Omit<Point, 'at'>)[]): [number[], ...(number | null)[][]] {
  return [points.map(({ at }) => Date.parse(at) / 1000), ...series.map((name) => points.map((point) => point[name]))];
}
