// The traffic of the last minutes, from the newest records of the ledger: for people that watch, not for Prometheus.
import type { DatabaseSync } from 'node:sqlite';

export interface TrafficPoint {
  /** The begin of the interval, ISO 8601. */
  readonly at: string;
  readonly requests: number;
  readonly denied: number;
  /** Answers with a 5xx. */
  readonly failed: number;
  /** Null: no request. Sockets do not count. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface PrincipalTraffic {
  readonly principal: string;
  readonly kind: string | null;
  readonly requests: number;
  readonly denied: number;
  readonly failed: number;
  readonly last_at: string;
}

export interface ServiceTraffic {
  readonly service: string;
  readonly calls: number;
  readonly denied: number;
  readonly failed: number;
  /** Answers from the cache, of the calls that could have been. */
  readonly cache_hits: number;
  readonly cacheable: number;
  readonly p95_ms: number | null;
}

/** A worker that reports over HTTP. */
export interface Heartbeat {
  readonly principal: string;
  readonly path: string;
  readonly at: string;
}

export interface Traffic {
  /** Later than asked for if there are too many records. */
  readonly since: string;
  readonly interval_seconds: number;
  readonly points: readonly TrafficPoint[];
  readonly principals: readonly PrincipalTraffic[];
  readonly services: readonly ServiceTraffic[];
  readonly heartbeats: readonly Heartbeat[];
  /** The last Prefect version in the user agent of each principal. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of the newest record. Null: there is none. */
  readonly newest: string | null;
}

interface Row {
  readonly n: number;
  readonly time: string;
  readonly request_id: string | null;
  readonly principal: string | null;
  readonly principal_kind: string | null;
  readonly user_agent: string | null;
  readonly action: string | null;
  readonly decision: string | null;
  readonly mode: string | null;
  readonly path: string | null;
  readonly path_taken: string | null;
  readonly status: number | null;
  readonly duration_ms: number | null;
  readonly service: string | null;
  readonly cache: string | null;
}

export const TRAFFIC_LIMITS = { minutes: 15, intervalSeconds: 15, records: 50_000, principals: 10, names: 1_000 } as const;

const COLUMNS = 'n, time, request_id, principal, principal_kind, user_agent, action, decision, mode, path, path_taken, status, duration_ms, service, cache';
const HEARD_MS = 2 * 60_000;
/** The question for this traffic is not part of it. */
const WATCHING = 'gateway.read';

/** Bounded by the number of records: after that the window is shorter. */
export function readTraffic(db: DatabaseSync, nowMs: number): Traffic {
  const { intervalSeconds, minutes, records } = TRAFFIC_LIMITS;
  const intervalMs = intervalSeconds * 1000;
  const askedMs = Math.floor((nowMs - minutes * 60_000) / intervalMs) * intervalMs;
  const last = Number(db.prepare('SELECT max(n) AS n FROM records').get()?.['n'] ?? 0);
  // The bound on n limits the rows that SQLite reads: not the index on time.
  const read = db.prepare(`SELECT ${COLUMNS} FROM records WHERE n > ? AND +time >= ? ORDER BY n`);
  // Only the ledger writes these rows, so the shape is trusted.
  const rows = read.all(last - records, new Date(askedMs).toISOString()) as unknown as readonly Row[];
  const firstMs = rows[0] === undefined ? nowMs : Date.parse(rows[0].time);
  const sinceMs = rows.length < records ? askedMs : Math.ceil(firstMs / intervalMs) * intervalMs;
  const requests = rows.filter((row) => row.request_id !== null && row.action !== WATCHING && !isProbe(row) && Date.parse(row.time) >= sinceMs);
  return {
    since: new Date(sinceMs).toISOString(),
    interval_seconds: intervalSeconds,
    points: pointsOf(requests, { sinceMs, nowMs, intervalMs }),
    principals: principalsOf(requests),
    services: servicesOf(requests),
    heartbeats: heartbeatsOf(requests, nowMs),
    versions: versionsOf(requests),
    newest: rows.at(-1)?.time ?? null,
  };
}

interface Span {
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly intervalMs: number;
}

function pointsOf(rows: readonly Row[], { sinceMs, nowMs, intervalMs }: Span): readonly TrafficPoint[] {
  const count = Math.max(0, Math.ceil((nowMs - sinceMs) / intervalMs));
  const groups = Array.from({ length: count }, (): Row[] => []);
  // The clock of a record may be ahead of this one's.
  for (const row of rows) groups[Math.floor((Date.parse(row.time) - sinceMs) / intervalMs)]?.push(row);
  return groups.map((group, at) => ({ at: new Date(sinceMs + at * intervalMs).toISOString(), ...countsOf(group), ...durationsOf(group) }));
}

function countsOf(rows: readonly Row[]): Pick<TrafficPoint, 'requests' | 'denied' | 'failed'> {
  return { requests: rows.length, denied: rows.filter(isDenied).length, failed: rows.filter(isFailed).length };
}

function durationsOf(rows: readonly Row[]): Pick<TrafficPoint, 'p50_ms' | 'p95_ms'> {
  const all = rows.flatMap(({ duration_ms, path_taken }) => (duration_ms === null || path_taken === 'relay' ? [] : [duration_ms])).toSorted((a, b) => a - b);
  return { p50_ms: quantile(all, 0.5), p95_ms: quantile(all, 0.95) };
}

function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

function isDenied({ decision, mode }: Row): boolean {
  return decision === 'deny' && mode !== 'observe';
}

/** A balancer's. Before the gateway is ready, the right answer is 503. */
function isProbe({ action, path }: Row): boolean {
  return action === null && path !== null && /\/\.lictor\/(?:ready|health)$/.test(path);
}

function isFailed({ status }: Row): boolean {
  return status !== null && status >= 500;
}

function principalsOf(rows: readonly Row[]): readonly PrincipalTraffic[] {
  const groups = [...groupBy(rows, ({ principal }) => principal)].toSorted(([, a], [, b]) => b.length - a.length);
  return groups.slice(0, TRAFFIC_LIMITS.principals).map(([principal, group]) => {
    const last = group.at(-1);
    return { principal, kind: last?.principal_kind ?? null, ...countsOf(group), last_at: last?.time ?? '' };
  });
}

function servicesOf(rows: readonly Row[]): readonly ServiceTraffic[] {
  return [...groupBy(rows, ({ service }) => service)].map(([service, group]) => {
    const { requests, denied, failed } = countsOf(group);
    const cacheable = group.filter(({ cache }) => cache !== null);
    const hits = cacheable.filter(({ cache }) => cache === 'hit' || cache === 'stale');
    return { service, calls: requests, denied, failed, cache_hits: hits.length, cacheable: cacheable.length, p95_ms: durationsOf(group).p95_ms };
  });
}

/** Stock workers before 3.7.2 have no channel. */
function heartbeatsOf(rows: readonly Row[], nowMs: number): readonly Heartbeat[] {
  const recent = rows.filter((row) => row.action === 'worker.heartbeat' && !isDenied(row) && Date.parse(row.time) > nowMs - HEARD_MS);
  return [...groupBy(recent, ({ principal, path }) => (principal === null || path === null ? null : `${principal} ${path}`)).values()].flatMap((group) => {
    const { principal = null, path = null, time = '' } = group.at(-1) ?? {};
    return principal === null || path === null ? [] : [{ principal, path, at: time }];
  });
}

function versionsOf(rows: readonly Row[]): Readonly<Record<string, string>> {
  const versions = rows.flatMap(({ principal, user_agent }) => {
    const version = /^prefect\/(\d[\w.+-]{0,40})/.exec(user_agent ?? '')?.[1];
    return principal === null || version === undefined ? [] : [[principal, version] as const];
  });
  return Object.fromEntries(versions);
}

/** In the order of the first row. Beyond the bound, new groups are left out. */
function groupBy(rows: readonly Row[], keyOf: (row: Row) => string | null): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = key === null ? undefined : groups.get(key);
    if (group !== undefined) group.push(row);
    else if (key !== null && groups.size < TRAFFIC_LIMITS.names) groups.set(key, [row]);
  }
  return groups;
}
