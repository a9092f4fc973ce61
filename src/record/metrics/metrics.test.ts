import { request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetricsListen } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { appendRecord } from '../ledger/append-record.ts';
import { makeNodes, partOf, take } from '../ledger/chain/nodes.fixture.ts';
import { tempState } from '../ledger/lines.fixture.ts';
import { flowRunEvent, writeEvents } from '../ledger/prefect-events/event.fixture.ts';
import { type CountedRow, createCounts } from './counts.ts';
import { renderFamilies } from './exposition.ts';
import { createHistogram } from './histogram.ts';
import { openLedgerReader } from './ledger-reader.ts';
import { type Metrics, startMetrics, watchDecisions } from './metrics.ts';

const ROW: CountedRow = {
  request_id: 'r',
  action: 'flows.read',
  decision: 'allow',
  reason: 'policy-permits',
  mode: 'enforce',
  path_taken: 'direct',
  status: 200,
  duration_ms: 12,
  upstream_ms: 9,
  service: null,
  cache: null,
};

describe('the text of Prometheus', () => {
  it('has help, type and escaped labels', () => {
    const text = renderFamilies([{ name: 'x_total', type: 'counter', help: 'An x.', samples: [{ labels: { a: 'q"\\\n' }, value: 2 }, { value: 0.5 }] }]);
    expect(text).toBe('# HELP lictor_x_total An x.\n# TYPE lictor_x_total counter\nlictor_x_total{a="q\\"\\\\\\n"} 2\nlictor_x_total 0.5\n');
  });

  it('sums a histogram up', () => {
    const histogram = createHistogram([0.1, 1]);
    for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe(seconds);
    const text = renderFamilies([
      { name: 'd_seconds', type: 'histogram', help: 'D.', samples: [{ labels: { path: 'direct' }, histogram: histogram.state() }] },
    ]);
    expect(text.split('\n').slice(2)).toEqual([
      'lictor_d_seconds_bucket{path="direct",le="0.1"} 2',
      'lictor_d_seconds_bucket{path="direct",le="1"} 3',
      'lictor_d_seconds_bucket{path="direct",le="+Inf"} 4',
      'lictor_d_seconds_sum{path="direct"} 7.65',
      'lictor_d_seconds_count{path="direct"} 4',
      '',
    ]);
  });
});

describe('counts', () => {
  it('are of requests, refusals, answers and what the gateway does itself', () => {
    const counts = createCounts();
    for (let time = 0; time < 3; time += 1) counts.add(ROW);
    counts.add({ ...ROW, decision: 'deny', reason: 'policy-default-deny', status: 403, upstream_ms: null });
    counts.add({ ...ROW, request_id: null, action: 'config.reload' });
    counts.add({ ...ROW, service: 'billing', cache: 'hit', action: 'services.call', path_taken: 'egress' });
    const text = renderFamilies(counts.families());
    for (const line of [
      'lictor_service_cache_total{service="billing",cache="hit"} 1',
      'lictor_requests_total{action="flows.read",decision="allow",path="direct"} 3',
      'lictor_requests_total{action="flows.read",decision="deny",path="direct"} 1',
      'lictor_refusals_total{reason="policy-default-deny",path="direct"} 1',
      'lictor_responses_total{class="2xx",path="direct"} 3',
      'lictor_events_total{action="config.reload"} 1',
      'lictor_request_duration_seconds_count{path="direct"} 4',
      'lictor_upstream_duration_seconds_count{path="direct"} 3',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('stay few whatever comes', () => {
    const counts = createCounts();
    for (let index = 0; index < 5_000; index += 1) counts.add({ ...ROW, action: `made.up_${index}` });
    const lines = renderFamilies(counts.families()).split('\n');
    const series = lines.filter((line) => line.startsWith('lictor_requests_total{'));
    expect(series).toHaveLength(2_001);
    expect(series.at(-1)).toBe('lictor_requests_total{action="other",decision="other",path="other"} 3000');
  });
});

describe('metrics of a ledger', () => {
  let paths: StatePaths;
  let remove: () => void;
  let metrics: Metrics | undefined;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    metrics = undefined;
    appendRecord(paths, { time: '2026-03-01T12:00:00.000Z', request_id: 'before', action: 'flows.read', decision: 'allow', path_taken: 'direct' });
  });
  afterEach(async () => {
    await metrics?.close();
    remove();
  });

  const add = (id: string) =>
    appendRecord(paths, { time: '2026-03-01T12:00:01.000Z', request_id: id, action: 'worker.heartbeat', decision: 'allow', path_taken: 'direct' });

  it('count from the start on, once, and say where the ledger ends', () => {
    const reader = openLedgerReader(paths);
    add('a');
    reader.collect();
    add('b');
    const text = renderFamilies(reader.collect());
    reader.close();
    expect(text).toContain('lictor_requests_total{action="worker.heartbeat",decision="allow",path="direct"} 2\n');
    expect(text).not.toContain('flows.read');
    expect(text).toContain('lictor_ledger_sealed_sequence 3\n');
    expect(text).toContain(`lictor_worker_last_heartbeat_timestamp_seconds ${Date.parse('2026-03-01T12:00:01.000Z') / 1000}\n`);
  });

  it('count the records and events of their own node alone', () => {
    const nodes = makeNodes();
    const [other, own] = [nodes.add('other', 5), nodes.add('own', 1)];
    writeEvents(other.paths, [flowRunEvent(1, 100)], 'other');
    using db = new DatabaseSync(own.paths.ledgerFile);
    db.exec("INSERT INTO meta (key, value) VALUES ('node', 'own')");
    const reader = openLedgerReader(own.paths);
    take(own, partOf(other));
    writeEvents(own.paths, [flowRunEvent(2, 100)], 'own');
    const text = renderFamilies(reader.collect());
    reader.close();
    nodes.remove();
    expect(text).toContain('lictor_flow_run_states_total{state="RUNNING"} 1\n');
    expect(text).not.toContain('lictor_requests_total{');
    expect(text).toContain('lictor_ledger_sealed_sequence 8\n');
  });

  function get(listen: MetricsListen, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<{ status: number; text: string }> {
    const where = 'path' in listen ? { socketPath: listen.path } : { host: listen.host, port: listen.port };
    return new Promise((resolve, reject) => {
      request({ ...where, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on('error', reject)
        .end();
    });
  }

  it('are read on a unix socket, by GET /metrics alone', { timeout: 20_000 }, async () => {
    const listen = { path: `${paths.root}/metrics.sock` };
    metrics = await startMetrics({
      listen,
      files: { ...paths, storeAt: paths.storeFile },
      gather: () => [{ name: 'g', type: 'gauge', help: 'G.', samples: [{ value: 1 }] }],
    });
    // On a busy machine the thread of the ledger starts late, and the answer does not wait for it.
    await expect.poll(async () => (await get(listen, '/metrics')).text, { timeout: 15_000 }).toContain('\nlictor_ledger_sealed_sequence 1');
    const { status, text } = await get(listen, '/metrics');
    expect(status).toBe(200);
    for (const name of ['g 1', 'process_resident_memory_bytes ']) expect(text).toContain(`\nlictor_${name}`);
    expect((await get(listen, '/')).status).toBe(404);
    expect((await get(listen, '/metrics', {}, 'POST')).status).toBe(405);
  });

  it('on a port answer to its own address, and not to a name that leads there', { timeout: 20_000 }, async () => {
    const listen = { host: '127.0.0.1', port: 20_000 + (process.pid % 10_000) };
    metrics = await startMetrics({ listen, files: { ...paths, storeAt: paths.storeFile }, gather: () => [] });
    expect((await get(listen, '/metrics')).status).toBe(200);
    expect((await get(listen, '/metrics', { host: 'localhost:9464' })).status).toBe(200);
    expect((await get(listen, '/metrics', { host: 'evil.example:9464' })).status).toBe(421);
    await expect(startMetrics({ listen, files: { ...paths, storeAt: paths.storeFile }, gather: () => [] })).rejects.toMatchObject({
      code: 'metrics-listen',
      message: `127.0.0.1:${listen.port} is taken: end what listens there, or change metrics.listen.`,
    });
  });
});

it('decisions are timed by outcome, also those that could not be made', async () => {
  const { watch, families } = watchDecisions();
  await watch(async () => ({ status: 200 }));
  await watch(async () => ({ status: 403 }));
  await expect(watch(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  const text = renderFamilies(families());
  for (const decision of ['allow', 'deny', 'error']) expect(text).toContain(`lictor_decision_duration_seconds_count{decision="${decision}"} 1\n`);
});
