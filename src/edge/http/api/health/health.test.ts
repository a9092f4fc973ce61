// The health and the traffic of the gateway over the admin API.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import type { SharedStore } from '../../../../contract/shared-store.ts';
import type { Traffic } from '../../../../record/metrics/traffic.ts';
import { useOwnApp } from '../../own-app.fixture.ts';
import { workersOf } from './workers.ts';

const PATH = '/.lictor/api/v1/health';
const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const { get, ask, reconfigure } = useOwnApp({ start: () => NOW });

const bearer = async (role: string) => ({ [INPUT.authorization]: `Bearer ${(await get().test.token({ name: role, roles: [role] })).text}` });
const health = async () => (await ask(PATH, { headers: await bearer('auditor') })).json();

const TRAFFIC: Traffic = {
  ...{ since: '2026-03-01T11:45:00.000Z', interval_seconds: 15, newest: '2026-03-01T11:59:59.000Z' },
  points: [
    { at: '2026-03-01T11:45:00.000Z', requests: 4, denied: 1, failed: 0, p50_ms: 2, p95_ms: 9 },
    { at: '2026-03-01T11:45:15.000Z', requests: 6, denied: 0, failed: 2, p50_ms: 2, p95_ms: 9 },
  ],
  principals: [{ principal: 'token:etl', kind: 'service', requests: 10, denied: 1, failed: 2, last_at: '2026-03-01T11:59:59.000Z' }],
  services: [{ service: 'billing', calls: 3, denied: 0, failed: 1, cache_hits: 1, cacheable: 2, p95_ms: 50 }],
  heartbeats: [{ principal: 'token:old', path: '/api/work_pools/pool%20a/workers/heartbeat', at: '2026-03-01T11:59:30.000Z' }],
  versions: { 'token:etl': '3.7.2' },
};

describe('who sees it', () => {
  it.each(BUILT_IN_ROLES)('%s', async (role) => {
    const answer = await ask(PATH, { headers: await bearer(role) });
    const may = role === 'auditor' || role === 'admin';
    expect([answer.statusCode, answer.json()]).toMatchObject(may ? [200, { status: 'ready' }] : [403, { code: 'policy-default-deny' }]);
    expect(get().records).toMatchObject([{ action: 'gateway.read', decision: may ? 'allow' : 'deny', principal: `token:${role}` }]);
  });

  it('nobody without a credential', async () => {
    expect((await ask(PATH)).statusCode).toBe(401);
  });
});

describe('what it shows', () => {
  it('identity providers: what was read, and the last error', async () => {
    reconfigure({
      config: { identityProviders: [{ id: 'local', type: 'accounts' }] },
      gateway: {
        providers: async () => new Map([['local', { metadata: { ageMs: 60_000, failure: { message: 'idp.example answered 500', ageMs: 1000 } }, keys: null }]]),
      },
    });
    expect((await health()).identity_providers).toEqual([
      {
        ...{ id: 'local', type: 'accounts', keys: null },
        metadata: { read_at: '2026-03-01T11:59:00.000Z', failed_at: '2026-03-01T11:59:59.000Z', error: 'idp.example answered 500' },
      },
    ]);
  });

  it('the edge: requests of the last minutes, and how many decisions the control plane made', async () => {
    const histogram = { bounds: [0.001, 0.01], counts: [9, 1, 0], sum: 0.02 };
    reconfigure({
      gateway: {
        families: () => [
          { name: 'decision_duration_seconds', type: 'histogram', help: '', samples: [{ histogram }, { histogram: { ...histogram, counts: [0, 0, 0] } }] },
          { name: 'sockets_open', type: 'gauge', help: '', samples: [{ value: 7 }] },
          { name: 'ledger_healthy', type: 'gauge', help: '', samples: [{ value: 1 }] },
        ],
        watch: async () => ({ families: [{ name: 'requests_total', type: 'counter', help: '', samples: [{ value: 80 }, { value: 20 }] }], traffic: TRAFFIC }),
        servers: async () => [{ url: 'http://127.0.0.1:4200', state: 'usable', version: '3.7.2', latencyMs: 3 }],
        sinks: () => [{ name: 'siem', type: 'syslog', state: null, lag: 5, oldest: '2026-03-01T11:59:00.000Z', stopped: 'away' }],
      },
    });
    const seen = await health();
    expect(seen.shared_store).toBeNull();
    expect(seen.edge).toMatchObject({ requests: 10, denied: 1, failed: 2, requests_total: 100, decisions_total: 10 });
    expect([seen.edge.decision_p50_ms, seen.edge.decision_p95_ms, seen.edge.points]).toEqual([1, 10, TRAFFIC.points]);
    expect(seen.nodes).toMatchObject([{ name: 'node-1', sockets: 7, revision: 7 }]);
    expect(seen.prefect_servers).toEqual([{ url: 'http://127.0.0.1:4200', state: 'usable', version: '3.7.2', latency_ms: 3 }]);
    expect(seen.ledger).toMatchObject({ healthy: true, newest_at: TRAFFIC.newest, sinks: [{ name: 'siem', lag_records: 5, failing: true }] });
    expect(seen.principals).toEqual(TRAFFIC.principals);
  });

  it('the nodes of a shared store', async () => {
    const shared: SharedStore = { waiting_records: 3, waiting_since: null, problem: 'away', nodes: [] };
    reconfigure({ gateway: { sharedStore: () => shared } });
    expect((await health()).shared_store).toEqual(shared);
  });

  it('a failed check, and a ledger that cannot be read', async () => {
    reconfigure({ checks: { store: async () => true, upstream: async () => false } });
    const seen = await health();
    expect([seen.status, seen.checks]).toEqual([
      'not-ready',
      [
        { name: 'store', ok: true },
        { name: 'upstream', ok: false },
      ],
    ]);
    expect([seen.edge.since, seen.edge.points, seen.ledger.newest_at]).toEqual([null, [], null]);
  });

  it('workers with a channel and workers that report over HTTP, the last seen first', () => {
    const channel = { name: 'w1', pool: 'p', principal: 'token:etl', sinceMs: NOW - 60_000, heardMs: NOW - 1000 };
    const beats = [...TRAFFIC.heartbeats, { principal: 'token:etl', path: '/api/work_pools/p/workers/heartbeat', at: '2026-03-01T11:59:00.000Z' }];
    expect(workersOf([channel], { ...TRAFFIC, heartbeats: beats })).toEqual([
      {
        ...{ name: 'w1', pool: 'p', principal: 'token:etl', version: '3.7.2' },
        ...{ connected_at: '2026-03-01T11:59:00.000Z', last_seen_at: '2026-03-01T11:59:59.000Z' },
      },
      { name: null, pool: 'pool a', principal: 'token:old', version: null, connected_at: null, last_seen_at: '2026-03-01T11:59:30.000Z' },
    ]);
  });
});
