// All five sockets between the stock client and a real Prefect that has an auth string, through the relay.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CarrierName, type StockClient, stockClient } from '../env/client.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type RelayEdge, startRelayEdge } from './relay-edge.ts';

const CARRIERS: readonly CarrierName[] = ['auth-string', 'custom-authorization', 'custom-x-lictor-token'];
const SCRIPT = join(import.meta.dirname, 'relay-sockets.py');

const prefect = sharedPrefect();
let edge: RelayEdge;
let client: StockClient | undefined;

beforeEach(async () => {
  edge = await startRelayEdge(prefect);
});
afterEach(async () => {
  await client?.stop();
  await edge.stop();
});

const clientWith = (carrier: CarrierName, token: string, settings: Record<string, string> = {}): StockClient => {
  client = stockClient({ venv: prefect.venv, url: edge.url, credential: { carrier, token }, settings });
  return client;
};
const opened = () => edge.records.filter((record) => record.status === 101 && record.resource_type !== 'Worker').map((record) => record.path);

describe.each(CARRIERS)('the stock client with %s', (carrier) => {
  it('sends and receives on events, logs and task subscriptions', async () => {
    const mark = `m${Date.now()}`;
    const { code, output } = await clientWith(carrier, edge.token).python([SCRIPT, mark]);
    expect(output).toContain('events 20');
    expect(output).toContain(`log ${mark}`);
    expect(output).toContain('task True');
    expect(code).toBe(0);
    for (const path of ['/api/events/in', '/api/events/out', '/api/logs/out', '/api/task_runs/subscriptions/scheduled']) expect(opened()).toContain(path);
    expect(output).not.toContain(prefect.authString);
  });

  it('runs a worker on its channel, without falling back to HTTP heartbeats', async () => {
    const pool = `relay-${carrier}`;
    const worker = await clientWith(carrier, edge.token).startPrefect(['worker', 'start', '--pool', pool, '--type', 'process', '--name', 'w1']);
    await waitFor(() => opened().includes(`/api/work_pools/${pool}/workers/connect`), { what: 'the channel', timeoutMs: 60_000 });
    await waitFor(() => edge.requests.includes(`POST /api/work_pools/${pool}/get_scheduled_flow_runs`), { what: 'a poll', timeoutMs: 60_000 });
    expect(edge.requests.filter((request) => request.endsWith('/workers/heartbeat'))).toEqual([]);
    await worker.stop();
  });
});

describe('a credential that lives for seconds, behind a sidecar', () => {
  it('sockets end with it and come back with the next: no event is lost, the worker keeps its channel', async () => {
    edge.renew();
    const pool = 'relay-renewed';
    // A heartbeat that is due while the channel is away goes by HTTP, as it should: none is due here.
    const stock = clientWith('none', '', { PREFECT_WORKER_HEARTBEAT_SECONDS: '600' });
    await stock.startPrefect(['worker', 'start', '--pool', pool, '--type', 'process', '--name', 'w1']);
    const channels = () => opened().filter((path) => path === `/api/work_pools/${pool}/workers/connect`).length;
    // A worker whose first handshake is refused goes by HTTP for good.
    await waitFor(() => channels() > 0, { what: 'the first channel', timeoutMs: 60_000 });
    const events = await stock.startPython([join(import.meta.dirname, 'relay-renewal.py'), `r${Date.now()}`]);
    for (const sent of [10, 20, 30]) {
      await waitFor(() => events.output().includes(`sent ${sent}\n`), { what: `event ${sent}`, timeoutMs: 60_000 });
      const before = channels();
      edge.renew();
      await edge.relay.recheck();
      await waitFor(() => channels() > before, { what: 'the channel to come back', timeoutMs: 60_000 });
    }
    await events.exited;
    expect(events.output()).toContain('stored 40');
    expect(events.output()).toContain('received\n');
    expect(edge.requests.filter((request) => request.endsWith('/workers/heartbeat'))).toEqual([]);
  });
});

describe('refused', () => {
  it('an API key alone: the client gets the name of the setting to use', async () => {
    const { output } = await clientWith('api-key', edge.token).prefect(['events', 'stream', '--run-once']);
    expect(output).toContain('PREFECT_API_AUTH_STRING');
    expect(opened()).toEqual([]);
  });

  it.each(CARRIERS)('a revoked token by %s, and its open sockets end', async (carrier) => {
    const headers: Record<string, string> = carrier === 'custom-x-lictor-token' ? { 'x-lictor-token': edge.token } : { authorization: `Bearer ${edge.token}` };
    const byFrame = carrier === 'auth-string';
    const socket = openSocket(edge.url, '/api/events/out', { headers: byFrame ? {} : headers, first: authFrame(byFrame ? `any:${edge.token}` : null) });
    await waitFor(() => socket.frames().includes('{"type":"auth_success"}'), { what: 'auth_success' });
    edge.revoke();
    await edge.relay.recheck();
    expect((await socket.ended).code).toBe(1008);
    const again = openSocket(edge.url, '/api/events/out', { headers: byFrame ? {} : headers, first: authFrame(byFrame ? `any:${edge.token}` : null) });
    expect(await again.ended).toMatchObject(byFrame ? { code: 1008 } : { status: 401 });
  });

  it('a frame that Prefect does not expect: it says so in its own words', async () => {
    const socket = openSocket(edge.url, '/api/events/out', { headers: { 'x-lictor-token': edge.token }, first: authFrame(null) });
    await waitFor(() => socket.frames().length === 1, { what: 'auth_success' });
    socket.send({ type: 'no-filter' });
    expect(await socket.ended).toMatchObject({ code: 1002, reason: "Expected 'filter' message" });
  });
});
