// GET health: the gateway, its parts, what it depends on, and its traffic.
import manifest from '../../../../../package.json' with { type: 'json' };
import { runChecks, statusOf } from '../../checks.ts';
import type { RouteParts } from '../../parts.ts';
import { apiRoute } from '../api-route.ts';
import { createNumbers, type Numbers } from './numbers.ts';
import { HEALTH, type Health } from './schema.ts';
import { workersOf } from './workers.ts';

export const health = apiRoute({
  method: 'GET',
  path: '/health',
  summary: 'Show the health and the traffic of the gateway',
  needs: { action: 'gateway.read' },
  answer: HEALTH,
  async handle({ parts }) {
    const { gateway, config, clock } = parts;
    const nowMs = clock();
    const [checks, watched, providers, servers] = await Promise.all([runChecks(parts), gateway.watch(), gateway.providers(), gateway.servers()]);
    const numbers = createNumbers([...gateway.families(), ...watched.families]);
    const { traffic } = watched;
    const body: Health = {
      status: statusOf(checks),
      checks: checks.map(([name, ok]) => ({ name, ok })),
      nodes: [nodeOf(numbers, parts)],
      shared_store: gateway.sharedStore(),
      edge: edgeOf(numbers, watched),
      identity_providers: config.identityProviders.map(({ id, type }) => {
        const { metadata = null, keys = null } = providers.get(id) ?? {};
        return { id, type, metadata: publishedOf(metadata, nowMs), keys: publishedOf(keys, nowMs) };
      }),
      prefect_servers: servers.map(({ url, state, version, latencyMs }) => ({ url, state, version, latency_ms: latencyMs })),
      workers: workersOf(gateway.workers(), traffic),
      services: config.services.map(({ name }) => traffic?.services.find(({ service }) => service === name) ?? { ...UNUSED, service: name }).map(serviceOf),
      principals: traffic?.principals ?? [],
      ledger: ledgerOf(numbers, traffic?.newest ?? null, parts),
    };
    return { ok: true, body };
  },
});

type Watched = Awaited<ReturnType<RouteParts['gateway']['watch']>>;
type ServiceTraffic = NonNullable<Watched['traffic']>['services'][number];

const UNUSED = { calls: 0, denied: 0, failed: 0, cache_hits: 0, cacheable: 0, p95_ms: null };

function serviceOf({ service, ...counts }: ServiceTraffic): Health['services'][number] {
  return { name: service, ...counts };
}

function nodeOf(numbers: Numbers, { gateway, revision }: Pick<RouteParts, 'gateway' | 'revision'>): Health['nodes'][number] {
  return {
    ...{ name: gateway.node, version: manifest.version, revision },
    started_at: timeOf(numbers.gauge('process_start_time_seconds')) ?? '',
    memory_bytes: numbers.gauge('process_resident_memory_bytes') ?? 0,
    cpu_seconds: numbers.gauge('process_cpu_seconds_total') ?? 0,
    sockets: numbers.gauge('sockets_open') ?? 0,
  };
}

function edgeOf(numbers: Numbers, { traffic }: Watched): Health['edge'] {
  const points = traffic?.points ?? [];
  const sum = (name: 'requests' | 'denied' | 'failed'): number => points.reduce((total, point) => total + point[name], 0);
  return {
    since: traffic?.since ?? null,
    ...{ requests: sum('requests'), denied: sum('denied'), failed: sum('failed') },
    requests_total: numbers.total('requests_total'),
    decisions_total: numbers.observations('decision_duration_seconds'),
    decision_p50_ms: inMs(numbers.quantile('decision_duration_seconds', 0.5)),
    decision_p95_ms: inMs(numbers.quantile('decision_duration_seconds', 0.95)),
    interval_seconds: traffic?.interval_seconds ?? 0,
    points,
  };
}

function publishedOf(
  status: { readonly ageMs: number | null; readonly failure: { readonly message: string; readonly ageMs: number } | null } | null,
  nowMs: number,
) {
  if (status === null) return null;
  const { ageMs, failure } = status;
  const ago = (ms: number): string => new Date(nowMs - ms).toISOString();
  return { read_at: ageMs === null ? null : ago(ageMs), failed_at: failure === null ? null : ago(failure.ageMs), error: failure?.message ?? null };
}

function ledgerOf(numbers: Numbers, newest: string | null, { gateway }: Pick<RouteParts, 'gateway'>): Health['ledger'] {
  return {
    healthy: numbers.gauge('ledger_healthy') === 1,
    newest_at: newest,
    sealed_at: timeOf(numbers.gauge('ledger_sealed_timestamp_seconds')),
    unread_bytes: numbers.gauge('ledger_unread_bytes'),
    events_behind_seconds: numbers.gauge('prefect_events_behind_seconds'),
    sinks: gateway.sinks().map(({ name, lag, oldest, state, stopped }) => ({
      ...{ name, lag_records: lag, oldest_at: oldest },
      failing: stopped !== null || (state?.problem ?? null) !== null,
    })),
  };
}

function timeOf(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}
