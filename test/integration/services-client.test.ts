// Stock flows under a process worker that call services, with lictor-prefect and bare httpx: over TLS and below a path, with the header and under `lictor exec`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createRemoteJWKSet, customFetch, type JWTPayload, jwtVerify } from 'jose';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { type Authority, createAuthority } from '../env/authority.ts';
import type { ClientCredential, ClientOptions } from '../env/client.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { clientNameOf, type Served, serveSecurely } from '../env/service.ts';
import { type SocketService, startSocketService } from '../env/socket-service.ts';
import { noteSecret } from '../env/stored-secrets.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { flowRunIdOf, openSession, prefectOk, type StockSession, startRun, startWorker } from './stock/session.ts';

const POLICY = `
@id("runs-call")
permit (principal in Role::"run", action == Action::"services.call", resource);
`;

const prefect = sharedPrefect();
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-services-client-'));
const tokenFile = join(directory, 'token');
const KEY = 'key-of-the-service-$host-1234567890';
let authority: Authority;
let [billing, keyed, rates]: Recorder[] = [];
let sealed: Served;
let live: SocketService;
/** What its callers were said to be. */
const assertions: string[] = [];
let gateway: Gateway;
let secret: string;

beforeAll(async () => {
  authority = createAuthority();
  const { chain, key } = authority.issue({ names: ['localhost'], days: 5 });
  const client = authority.issue({ names: ['gateway'], days: 5 });
  [billing, keyed, rates] = await Promise.all([startRecorder(), startRecorder(), startRecorder()]);
  sealed = await serveSecurely({ chain, key, clientCa: authority.root }, (request, response) => {
    assertions.push(String(request.headers['x-lictor-assertion']));
    response.end(`met ${clientNameOf(request.socket)}`);
  });
  live = await startSocketService();
  live.onSocket = (socket) => void socket.on('message', (asked) => socket.send(`the ${asked} of today`));
  noteSecret(KEY);
  writeFileSync(join(directory, 'key'), KEY, { mode: 0o600 });
  writeFileSync(join(directory, 'services.cedar'), POLICY);
  gateway = await startGateway({
    upstream: prefect,
    basePath: '/prefect',
    tls: { cert: chain, key },
    config: {
      policies: directory,
      services: [
        { name: 'billing', servers: [billing.url], allow: [{ paths: ['/v1/*'] }] },
        { name: 'sealed', servers: [`https://localhost:${sealed.port}`], tls: { ca_file: authority.root, cert: client.chain, key: client.key } },
        { name: 'live', servers: [`http://127.0.0.1:${live.port}`], sockets: true },
        { name: 'keyed', servers: [keyed.url], inject: { header: { name: 'X-Api-Key', value_file: join(directory, 'key') } } },
        { name: 'rates', servers: [rates.url], cache: [{ paths: ['/*'], ttl: '1h' }] },
      ],
    },
  });
  secret = (await gateway.token('etl', ['deployer', 'worker'])).secret;
  writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([billing, keyed, rates, sealed, live].map((server) => server?.close()));
  authority?.remove();
  rmSync(directory, { recursive: true });
});

const seenBy = (recorder: Recorder | undefined) => recorder?.seen() ?? [];

/** What a run said, once it is over; `last` are words of its last line. */
async function saidBy({ server }: StockSession, run: string, last: string): Promise<string> {
  const logs = async () => (await server.logMessages(run)).join('\n');
  const state = await server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000);
  expect(state, await logs()).toBe('COMPLETED');
  await waitFor(async () => (await logs()).includes(last), { what: 'the last log line', timeoutMs: 60_000, everyMs: 500 });
  return logs();
}

async function callsOf(run: string, count: number): Promise<readonly Record<string, unknown>[]> {
  const calls = async () => jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json')).filter(({ path_taken }) => path_taken === 'egress');
  await waitFor(async () => (await calls()).length >= count, { what: `${count} records of calls`, timeoutMs: 60_000, everyMs: 500 }).catch(() => undefined);
  return calls();
}

function open(name: string, credential: ClientCredential, exec?: readonly string[]): StockSession {
  const settings = {
    PYTHONPATH: join(REPOSITORY, 'python/src'),
    PREFECT_API_SSL_CERT_FILE: authority.root,
    SSL_CERT_FILE: authority.root,
    LICTOR_SERVICES: '{"local": "http://127.0.0.1:9"}',
  };
  const options: ClientOptions = { venv: prefect.venv, url: gateway.url, credential, settings };
  return openSession(prefect, exec === undefined ? options : { ...options, exec }, name);
}

/** The service is busy at first. */
function beBusyOnce(): void {
  billing?.clear();
  let asked = 0;
  billing?.answerWith(({ target }) => {
    if (target !== '/v1/busy') return undefined;
    asked += 1;
    return asked > 1 ? { status: 200, body: 'free' } : { status: 503, headers: { 'retry-after': '0' }, body: 'busy' };
  });
}

async function expectCalls(session: StockSession): Promise<void> {
  beBusyOnce();
  const run = await startRun(session, `calls-with-client/${session.pool}`);
  const said = await saidBy(session, run, 'client is through');
  expect(said).toContain('sync 200 free');
  expect(said).toContain('async 200');
  expect(said).toMatch(/refused 403 service-route-unknown ([0-9a-f-]{8,}) billing: 403 service-route-unknown: .*\[request \1\]/);
  expect(said).toContain('local http://127.0.0.1:9/');
  expect(said).not.toMatch(/lc[ft]_/);
  expect(seenBy(billing).map(({ method, target }) => `${method} ${target}`)).toEqual(['GET /v1/busy', 'GET /v1/busy', 'POST /v1/sync', 'GET /v1/async?x=1']);
  for (const { headers } of seenBy(billing)) {
    expect(headers).toMatchObject({ 'x-lictor-assertion': expect.any(String), 'user-agent': expect.stringMatching(/^lictor-prefect\//) });
    for (const name of ['authorization', 'x-lictor-token', 'x-prefect-flow-run-id']) expect(headers).not.toHaveProperty(name);
  }
  const calls = await callsOf(run, 5);
  expect(calls.map(({ service, status, principal, run_binding }) => [service, status, principal, run_binding])).toEqual(
    expect.arrayContaining([200, 503, 403].map((status) => ['billing', status, `run:${run}`, 'verified'])),
  );
  expect(calls).toHaveLength(5);
}

const WAYS = ['helper', 'bare'];
const ANSWERS = {
  ...{ '/billing/v1/x': '200: {}', '/sealed/a': '200: met leaf-2', '/keyed/b': '200: "opened"', '/billing/v2/x': '403: ' },
  '/rates/eur': '200: first',
};

async function expectThree(session: StockSession, jobVariables: readonly string[]): Promise<void> {
  for (const recorder of [billing, keyed, rates]) recorder?.clear();
  assertions.length = 0;
  billing?.answerWith(undefined);
  keyed?.answerWith(({ headers }) => (headers['x-api-key'] === KEY ? { status: 200, body: '"opened"' } : undefined));
  rates?.answerWith(() => ({ status: 200, body: ['first', 'second'][seenBy(rates).length - 1] ?? 'later' }));
  const options = ['--param', `paths=${JSON.stringify(Object.keys(ANSWERS))}`, ...jobVariables.flatMap((variable) => ['--job-variable', variable])];
  const run = flowRunIdOf(await prefectOk(session, 'deployment', 'run', `calls/${session.pool}`, ...options));
  const said = await saidBy(session, run, 'environment ');
  for (const [path, answer] of Object.entries(ANSWERS)) for (const way of WAYS) expect(said).toContain(`${way} ${path} answered ${answer}`);
  // The whole environment of the run is among it.
  expect(said).toContain('PREFECT_API_URL');
  expect(said).not.toContain(KEY);
  await expectKnown(run, session);
  await expectTimeline(run);
}

/** Each service verifies who called with the published keys. */
async function expectKnown(run: string, { pool }: StockSession): Promise<void> {
  const told = (recorder: Recorder | undefined) => seenBy(recorder).map(({ headers }) => headers['x-lictor-assertion'] ?? '');
  for (const [service, shown] of Object.entries({ billing: told(billing), sealed: assertions, keyed: told(keyed) })) {
    expect(shown).toHaveLength(2);
    for (const assertion of shown) {
      expect(await verified(assertion, service)).toMatchObject({
        sub: `run:${run}`,
        principal_kind: 'run',
        act: { sub: 'token:etl' },
        run,
        deployment: `calls/${pool}`,
        deployment_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        flow: 'calls',
        tags: ['team-a'],
      });
    }
    await expect(verified(shown[0] ?? '', 'another')).rejects.toThrow('aud');
  }
}

async function verified(assertion: string, audience: string): Promise<JWTPayload> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(authority.root) } });
  const keys = createRemoteJWKSet(new URL('/.well-known/lictor-jwks.json', gateway.url), {
    [customFetch]: async (url, init) => {
      const { statusCode, body } = await request(url, { headers: Object.fromEntries(init.headers), dispatcher });
      return new Response(await body.text(), { status: statusCode });
    },
  });
  const { payload } = await jwtVerify(assertion, keys, { issuer: gateway.url, audience, typ: 'lictor-assertion+jwt', algorithms: ['ES256'] });
  await dispatcher.close();
  return payload;
}

/** With service, status, time and what came of the cache, verified; the key is in no record of it. */
async function expectTimeline(run: string): Promise<void> {
  const calls = await callsOf(run, 10);
  const [ok, refused] = [
    ['billing/v1/*', 'sealed/*', 'keyed/*'].map((route) => [route.split('/')[0], route, 200, 'verified', `run:${run}`]),
    ['billing', 'billing', 403, 'verified', `run:${run}`],
  ];
  const told = calls
    .filter(({ service }) => service !== 'rates')
    .map(({ service, resource_id, status, run_binding, principal }) => [service, resource_id, status, run_binding, principal]);
  expect(told).toHaveLength(8);
  for (const one of [...ok, refused]) expect(told.filter((other) => isDeepStrictEqual(one, other))).toHaveLength(2);
  expect(calls.filter(({ service }) => service === 'rates').map(({ cache, status, run_binding }) => [cache, status, run_binding])).toEqual([
    ['miss', 200, 'verified'],
    ['hit', 200, 'verified'],
  ]);
  expect(seenBy(rates)).toHaveLength(1);
  expect(new Set(calls.filter(({ service }) => service !== 'rates').map(({ cache }) => cache))).toEqual(new Set([null]));
  for (const { duration_ms } of calls) expect(duration_ms).toEqual(expect.any(Number));
  const timeline = await gateway.lictorOk('timeline', run, '--all');
  expect(timeline).toMatch(/sealed GET \/a +200 +verified +\d+ms/);
  expect(timeline).toMatch(/rates GET \/eur +200 +verified +miss +\d+ms[\s\S]*rates GET \/eur +200 +verified +hit +\d+ms/);
  expect(timeline).toMatch(/billing GET \/v2\/x +403 +verified +service-route-unknown/);
  expect(JSON.stringify(calls) + timeline).not.toContain(KEY);
}

describe('a flow with tasks of both kinds calls as its run, waits for a busy service, and gets the reason of a refusal', () => {
  let plain: StockSession;
  beforeAll(async () => {
    plain = open('client', { carrier: 'custom-x-lictor-token', token: secret });
    // Its pool is made by the worker.
    await startWorker(plain);
    await prefectOk(plain, '--no-prompt', 'deploy', 'services_client.py:calls_with_client', '--name', plain.pool, '--pool', plain.pool);
  });
  afterAll(() => plain?.client.stop());

  it('under a worker with the custom header', () => expectCalls(plain));

  it('over a WebSocket, with what docs/how-to/service-websockets.md shows', async () => {
    writeFileSync(join(plain.client.project, 'docs_socket.txt'), docsBlock('how-to/service-websockets.md', 'import os, re\nfrom websockets'));
    await prefectOk(plain, '--no-prompt', 'deploy', 'service_socket.py:listens', '--name', plain.pool, '--pool', plain.pool, '--tag', 'team-a');
    const run = await startRun(plain, `listens/${plain.pool}`);
    expect(await saidBy(plain, run, 'listener is through')).toContain('the rates of today');
    expect(live.seen).toMatchObject([{ target: '/v1/feed', headers: { 'x-lictor-assertion': expect.any(String) } }]);
    expect(await verified(String(live.seen[0]?.headers['x-lictor-assertion']), 'live')).toMatchObject({ sub: `run:${run}`, flow: 'listens', tags: ['team-a'] });
    expect(live.seen[0]?.headers).not.toHaveProperty('authorization');
    expect(await callsOf(run, 1)).toMatchObject([{ service: 'live', status: 101, run_binding: 'verified', resource_id: 'live/*', reason: 'policy-permits' }]);
    expect(await gateway.lictorOk('timeline', run)).toMatch(/live GET \/v1\/feed +101 +verified/);
  });

  it('three services, with the helper and with what docs/how-to/services.md shows, whatever the worker has set itself', async () => {
    writeFileSync(join(plain.client.project, 'docs_example.txt'), docsBlock('how-to/services.md', 'import httpx, os, re'));
    await prefectOk(plain, '--no-prompt', 'deploy', 'services.py:calls', '--name', plain.pool, '--pool', plain.pool, '--tag', 'team-a');
    // A job with its own command: the worker's variables win there (docs/how-to/workers.md).
    for (const jobVariables of [[], ['command=python -m prefect.engine']]) await expectThree(plain, jobVariables);
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
