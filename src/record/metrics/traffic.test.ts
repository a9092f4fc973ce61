// The traffic of the last minutes, from a ledger.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import type { NewRecord } from '../../contract/record.ts';
import { appendRecord } from '../ledger/append-record.ts';
import { tempState } from '../ledger/lines.fixture.ts';
import { readTraffic } from './traffic.ts';
import { createLedgerWatch } from './watch.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
let paths: StatePaths;
let remove: () => void;
let requests = 0;
beforeEach(() => {
  ({ paths, remove } = tempState());
});
afterEach(() => remove());

function add(secondsAgo: number, more: Partial<NewRecord> = {}): void {
  requests += 1;
  const common = { request_id: `r${requests}`, principal: 'alice@local', decision: 'allow', path_taken: 'direct', status: 200, duration_ms: 10 } as const;
  appendRecord(paths, { time: new Date(NOW - secondsAgo * 1000).toISOString(), ...common, ...more });
}

function traffic() {
  const db = new DatabaseSync(paths.ledgerFile, { readOnly: true });
  try {
    return readTraffic(db, NOW);
  } finally {
    db.close();
  }
}

it('counts requests, denials and failures in intervals, and nothing older', () => {
  add(1000);
  add(20, { decision: 'deny', status: 403, duration_ms: 30 });
  add(20, { decision: 'deny', mode: 'observe', duration_ms: 5 });
  add(1, { status: 503, duration_ms: 70 });
  add(1, { path_taken: 'relay', duration_ms: 900_000, status: 101 });
  add(1, { request_id: null, action: 'config.reload' });
  add(1, { action: 'gateway.read' });
  add(1, { principal: null, action: null, decision: null, path: '/prefect/.lictor/ready', status: 503 });
  const { points, newest } = traffic();
  expect(points).toHaveLength(60);
  expect(points.slice(-2)).toEqual([
    { at: '2026-03-01T11:59:30.000Z', requests: 2, denied: 1, failed: 0, p50_ms: 30, p95_ms: 30 },
    { at: '2026-03-01T11:59:45.000Z', requests: 2, denied: 0, failed: 1, p50_ms: 70, p95_ms: 70 },
  ]);
  expect(points.slice(0, -2).every((point) => point.requests === 0 && point.p95_ms === null)).toBe(true);
  expect(newest).toBe('2026-03-01T11:59:59.000Z');
});

it('names the top principals, the services, and workers that report over HTTP', () => {
  for (const seconds of [5, 4, 3]) add(seconds, { principal: 'token:etl', principal_kind: 'service', user_agent: 'prefect/3.7.1 (API 0.8.4)' });
  add(2, { principal: 'token:etl', action: 'worker.heartbeat', path: '/api/work_pools/p/workers/heartbeat' });
  add(300, { principal: 'token:old', action: 'worker.heartbeat', path: '/api/work_pools/p/workers/heartbeat' });
  add(2, { service: 'billing', path_taken: 'egress', cache: 'hit' });
  add(2, { service: 'billing', path_taken: 'egress', cache: 'miss', status: 502, duration_ms: 50 });
  const { principals, services, heartbeats, versions } = traffic();
  expect(principals).toMatchObject([
    { principal: 'token:etl', requests: 4, denied: 0, last_at: '2026-03-01T11:59:58.000Z' },
    { principal: 'alice@local', kind: null, requests: 2, failed: 1 },
    { principal: 'token:old', requests: 1 },
  ]);
  expect(services).toEqual([{ service: 'billing', calls: 2, denied: 0, failed: 1, cache_hits: 1, cacheable: 2, p95_ms: 50 }]);
  expect(heartbeats).toEqual([{ principal: 'token:etl', path: '/api/work_pools/p/workers/heartbeat', at: '2026-03-01T11:59:58.000Z' }]);
  expect(versions).toEqual({ 'token:etl': '3.7.1' });
});

it('of an empty ledger is empty', () => {
  add(5000);
  expect(traffic()).toMatchObject({ principals: [], services: [], heartbeats: [], newest: null });
});

it('is read by a thread, once for questions at the same time', { timeout: 20_000 }, async () => {
  add(5);
  const watch = createLedgerWatch({ ...paths, storeAt: paths.storeFile }, () => 0);
  const first = watch.read();
  expect(watch.read()).toBe(first);
  const { families, traffic: seen } = await first;
  expect(families.map(({ name }) => name)).toContain('ledger_unread_bytes');
  expect(seen?.newest).toBeNull();
  await watch.close();
});
