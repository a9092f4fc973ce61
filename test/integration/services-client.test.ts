// lictor-prefect in a stock flow under a process worker: over TLS and below a path, with the header and under `lictor exec`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { type Authority, createAuthority } from '../env/authority.ts';
import type { ClientCredential, ClientOptions } from '../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { openSession, prefectOk, type StockSession, startWorker } from './stock/session.ts';

const POLICY = `
@id("runs-call")
permit (principal in Role::"run", action == Action::"services.call", resource in Service::"billing");
`;

const prefect = sharedPrefect();
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-services-client-'));
const tokenFile = join(directory, 'token');
let authority: Authority;
let billing: Recorder;
let gateway: Gateway;
let secret: string;

beforeAll(async () => {
  authority = createAuthority();
  billing = await startRecorder();
  const { chain, key } = authority.issue({ names: ['localhost'], days: 5 });
  writeFileSync(join(directory, 'services.cedar'), POLICY);
  gateway = await startGateway({
    upstream: prefect,
    basePath: '/prefect',
    tls: { cert: chain, key },
    config: { policies: directory, services: [{ name: 'billing', servers: [billing.url], allow: [{ paths: ['/v1/*'] }] }] },
  });
  secret = (await gateway.token('etl', ['deployer', 'worker'])).secret;
  writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await gateway?.close();
  await billing?.close();
  authority?.remove();
  rmSync(directory, { recursive: true });
});

/** What the run said, once it is over. */
async function logsOf({ server, pool }: StockSession): Promise<{ readonly run: string; readonly said: string }> {
  const deployment = text(field(await server.get(`/deployments/name/calls-with-client/${pool}`), 'id'));
  const run = text(field(await server.post(`/deployments/${deployment}/create_flow_run`, {}), 'id'));
  const logs = async () => (await server.logMessages(run)).join('\n');
  const state = await server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000);
  expect(state, await logs()).toBe('COMPLETED');
  await waitFor(async () => (await logs()).includes('client is through'), { what: 'the last log line', timeoutMs: 60_000, everyMs: 500 });
  return { run, said: await logs() };
}

async function callsOf(run: string): Promise<readonly Record<string, unknown>[]> {
  const calls = async () => jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json')).filter(({ path_taken }) => path_taken === 'egress');
  await waitFor(async () => (await calls()).length >= 5, { what: 'five records of calls', timeoutMs: 60_000, everyMs: 500 }).catch(() => undefined);
  return calls();
}

function open(name: string, credential: ClientCredential, exec?: readonly string[]): StockSession {
  const settings = {
    PYTHONPATH: join(REPOSITORY, 'python/src'),
    PREFECT_API_SSL_CERT_FILE: authority.root,
    LICTOR_SERVICES: '{"local": "http://127.0.0.1:9"}',
  };
  const options: ClientOptions = { venv: prefect.venv, url: gateway.url, credential, settings };
  return openSession(prefect, exec === undefined ? options : { ...options, exec }, name);
}

/** The service is busy at first. */
function beBusyOnce(): void {
  billing.clear();
  let asked = 0;
  billing.answerWith(({ target }) => {
    if (target !== '/v1/busy') return undefined;
    asked += 1;
    return asked > 1 ? { status: 200, body: 'free' } : { status: 503, headers: { 'retry-after': '0' }, body: 'busy' };
  });
}

async function expectCalls(session: StockSession): Promise<void> {
  beBusyOnce();
  const { run, said } = await logsOf(session);
  expect(said).toContain('sync 200 free');
  expect(said).toContain('async 200');
  expect(said).toMatch(/refused 403 service-route-unknown ([0-9a-f-]{8,}) billing: 403 service-route-unknown: .*\[request \1\]/);
  expect(said).toContain('local http://127.0.0.1:9/');
  expect(said).not.toMatch(/lc[ft]_/);
  expect(billing.seen().map(({ method, target }) => `${method} ${target}`)).toEqual(['GET /v1/busy', 'GET /v1/busy', 'POST /v1/sync', 'GET /v1/async?x=1']);
  for (const { headers } of billing.seen()) {
    expect(headers).toMatchObject({ 'x-lictor-assertion': expect.any(String), 'user-agent': expect.stringMatching(/^lictor-prefect\//) });
    for (const name of ['authorization', 'x-lictor-token', 'x-prefect-flow-run-id']) expect(headers).not.toHaveProperty(name);
  }
  const calls = await callsOf(run);
  expect(calls.map(({ service, status, principal, run_binding }) => [service, status, principal, run_binding])).toEqual(
    expect.arrayContaining([200, 503, 403].map((status) => ['billing', status, `run:${run}`, 'verified'])),
  );
  expect(calls).toHaveLength(5);
}

describe('a flow with tasks of both kinds calls as its run, waits for a busy service, and is told why it is refused', () => {
  let plain: StockSession;
  beforeAll(async () => {
    plain = open('client', { carrier: 'custom-x-lictor-token', token: secret });
    // Its pool is made by the worker.
    await startWorker(plain);
    await prefectOk(plain, '--no-prompt', 'deploy', 'services_client.py:calls_with_client', '--name', plain.pool, '--pool', plain.pool);
  });
  afterAll(() => plain?.client.stop());

  it('under a worker with the custom header', async () => {
    await expectCalls(plain);
    await plain.client.stop();
  });

  it('under lictor exec', async () => {
    const session: StockSession = { ...open('client-exec', { carrier: 'none', token: '' }, ['--as', `token:${tokenFile}`]), pool: plain.pool };
    try {
      await startWorker(session);
      await expectCalls(session);
    } finally {
      await session.client.stop();
    }
  });
});
