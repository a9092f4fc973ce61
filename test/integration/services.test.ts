// Services that tasks call: by runs, over TLS with a client certificate, with an injected key; streams, a server that dies. Stock flows: services-client.test.ts.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { type Authority, createAuthority } from '../env/authority.ts';
import { type BegunRun, runsFrom } from '../env/begun-runs.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { send, setState, tokenFor } from '../env/polled.ts';
import { directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { run as runProgram, waitFor } from '../env/process.ts';
import { clientNameOf, type Served, serve, serveSecurely } from '../env/service.ts';
import { type ServiceProcess, startServiceProcess } from '../env/service-process.ts';
import { noteSecret } from '../env/stored-secrets.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { pyjwtVenv } from '../env/venv.ts';
import { expectRefusal } from './attacks/harness.ts';
import { diagnosisOf, lookFor } from './doctor/room.ts';
import { balanceTests } from './services/balance.ts';
import { openClient } from './services/fair.ts';
import { killedTests } from './services/killed.ts';

const KEY = 'key-of-the-service-$host-1234567890';
const POLICIES = `
@id("team-a-calls")
permit (principal in Role::"run", action == Action::"services.call", resource)
when { principal has tags && principal.tags.contains("team-a") };

@id("nobody-deletes")
forbid (principal, action == Action::"services.call", resource in Service::"plain")
when { context.facts has method && context.facts.method == "DELETE" };

@id("caller-calls")
permit (principal == Principal::"token:caller", action == Action::"services.call", resource);
`;

const prefect = sharedPrefect();
const stamp = Date.now().toString(36);
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-services-'));
let authority: Authority;
let [plain, keyed, third, one, two]: Recorder[] = [];
let three: readonly ServiceProcess[];
let sealed: Served;
let streaming: Served;
let gateway: Gateway;
let begun: (tag: string) => Promise<BegunRun>;
let caller: Token;
let worker: Token;
let operator: Token;

beforeAll(async () => {
  authority = createAuthority();
  [plain, keyed, third, one, two] = await Promise.all(Array.from({ length: 5 }, startRecorder));
  three = await Promise.all(['red', 'green', 'blue'].map((name) => startServiceProcess(name)));
  const own = authority.issue({ names: ['localhost'], days: 5 });
  const client = authority.issue({ names: ['gateway'], days: 5 });
  sealed = await serveSecurely({ chain: own.chain, key: own.key, clientCa: authority.root }, (request, response) => {
    response.end(`sealed met ${clientNameOf(request.socket)} at ${request.url}`);
  });
  streaming = await serve(stream);
  noteSecret(KEY);
  writeFileSync(join(directory, 'key'), KEY, { mode: 0o600 });
  writeFileSync(join(directory, 'services.cedar'), POLICIES);
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      // One caller makes most of the load here.
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'plain', servers: [plain?.url, keyed?.url, third?.url], allow: [{ paths: ['/v1/*'] }] },
        {
          name: 'sealed',
          servers: [`https://localhost:${sealed.port}`],
          tls: { ca_file: authority.root, cert: client.chain, key: client.key },
        },
        { name: 'unsealed', servers: [`https://localhost:${sealed.port}`], tls: { ca_file: authority.root } },
        { name: 'foreign', servers: [`https://127.0.0.1:${sealed.port}`], tls: { ca_file: authority.root, cert: client.chain, key: client.key } },
        { name: 'keyed', servers: [keyed?.url], inject: { header: { name: 'X-Api-Key', value_file: join(directory, 'key') } } },
        { name: 'watched', servers: [one?.url, two?.url], health: { path: '/health', interval: '200ms' } },
        { name: 'three', servers: three.map(({ url }) => url), health: { path: '/', interval: '200ms' } },
        { name: 'three-plain', servers: three.map(({ url }) => url) },
        { name: 'canary', servers: three.slice(0, 2).map(({ url }, place) => ({ url, weight: place === 0 ? 9 : 1 })) },
        { name: 'fewest', servers: three.map(({ url }) => url), balance: 'least_connections' },
        { name: 'by-run', servers: three.map(({ url }) => url), balance: 'hash_by_run' },
        { name: 'spare', servers: three.map(({ url }, place) => ({ url, backup: place > 0 })), health: { path: '/', interval: '200ms' } },
        { name: 'limited', servers: [`http://127.0.0.1:${streaming.port}`], limit: { rate: '5/s', burst: 5, max_wait: '2s' } },
        { name: 'few', servers: [`http://127.0.0.1:${streaming.port}`], limit: { concurrency: 2 } },
        { name: 'streaming', servers: [`http://127.0.0.1:${streaming.port}`], timeout: '2s' },
      ],
    },
  });
  const tokens = [gateway.token('caller', ['viewer']), gateway.token('etl', ['deployer', 'worker']), gateway.token('op', ['operator'])] as const;
  [caller, worker, operator] = await Promise.all(tokens);
  begun = await runsFrom({ gateway, server: directTo(prefect), worker: worker.secret, name: `svc-${stamp}` });
});
beforeEach(() => {
  for (const recorder of [plain, keyed, third, one, two]) {
    recorder?.clear();
    recorder?.answerWith(undefined);
  }
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([plain, keyed, third, one, two, sealed, streaming].map((server) => server?.close()));
  authority?.remove();
  rmSync(directory, { recursive: true });
});

/** `/now`: an answer; `/events`: one at once, one when the caller has sent a byte to `/more`; `/echo`: what comes, as it comes; `/never`: nothing. */
let more: () => void = () => undefined;
function stream(...[request, response]: Parameters<Parameters<typeof serve>[0]>): void {
  if (request.url === '/never') return;
  if (request.url === '/now') return void response.end('now');
  if (request.url === '/more') {
    more();
    response.end();
  } else if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: first\n\n');
    more = () => response.end('data: last\n\n');
  } else {
    response.flushHeaders();
    request.pipe(response);
  }
}

const call = (path: string, init: Parameters<Gateway['fetch']>[1] = {}) => gateway.fetch(`/.lictor/svc${path}`, { token: caller.secret, ...init });
const seen = () => [plain, keyed, third].flatMap((recorder) => recorder?.seen() ?? []);

async function recordsOf(...filters: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  return jsonLines(await gateway.lictorOk('audit', '--since', '10m', ...filters, '--json'));
}

async function callRecords(count: number, ...filters: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const calls = async () => (await recordsOf(...filters)).filter(({ path_taken }) => path_taken === 'egress');
  await waitFor(async () => (await calls()).length >= count, { what: `${count} records of calls`, timeoutMs: 30_000, everyMs: 500 }).catch(() => undefined);
  return calls();
}

async function verified(assertion: string | undefined, audience: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${gateway.url}/.well-known/lictor-jwks.json`));
  return (await jwtVerify(assertion ?? '', keys, { issuer: gateway.url, audience, typ: 'lictor-assertion+jwt', algorithms: ['ES256'] })).payload;
}

describe('which runs may call', () => {
  it('one with the tag may, one with another may not, and neither may what is forbidden', async () => {
    const [ours, theirs] = [await begun('team-a'), await begun('team-b')];
    expect((await call('/plain/v1/x', { token: ours.token })).status).toBe(200);
    await expectRefusal(await call('/plain/v1/x', { token: theirs.token }), 403, 'policy-default-deny');
    await expectRefusal(await call('/plain/v1/x', { token: ours.token, method: 'DELETE' }), 403, 'policy-forbids');
    expect(seen()).toHaveLength(1);
    const [denied] = await callRecords(1, '--flow-run', theirs.run, '--decision', 'deny');
    expect(denied).toMatchObject({ service: 'plain', action: 'services.call', run_binding: 'verified', status: 403, reason: 'policy-default-deny' });
    // The worker itself is none of the runs.
    await expectRefusal(await call('/plain/v1/x', { token: worker.secret }), 403, 'policy-default-deny');
  });

  it('a call to a service that lictor.yaml does not name is on the timeline of the run that made it', async () => {
    const { run, token } = await begun('team-a');
    await expectRefusal(await call('/plian/v1/x', { token }), 404, 'service-unknown');
    expect(await callRecords(1, '--flow-run', run, '--decision', 'deny')).toMatchObject([
      { service: 'plian', principal: `run:${run}`, run_binding: 'verified', status: 404, reason: 'service-unknown' },
    ]);
    expect(await gateway.lictorOk('timeline', run)).toMatch(/plian GET \/v1\/x +404 +verified +service-unknown/);
  });

  it('by tags of the deployment: a tag from the run, or from the principal that started it, counts for nothing', async () => {
    const { run, token } = await begun('team-c');
    const patch = (path: string, by: string, tags: readonly string[]) => send(gateway, 'PATCH', `/api${path}`, { token: by, body: { tags } });
    expect((await patch(`/flow_runs/${run}`, token, ['team-c', 'team-a'])).status).toBe(204);
    await expectRefusal(await call('/plain/v1/x', { token }), 403, 'policy-default-deny');
    const deployment = text(field(await directTo(prefect).get(`/flow_runs/${run}`), 'deployment_id'));
    const made = await send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token: operator.secret, body: { tags: ['team-a'] } });
    const started = text(field(await made.json(), 'id'));
    const second = await tokenFor(gateway, `svc-${stamp}`, worker.secret, started);
    await setState(gateway, started, worker.secret, 'PENDING');
    await expectRefusal(await call('/plain/v1/x', { token: second }), 403, 'policy-default-deny');
    expect(seen()).toEqual([]);
    // The author of the deployment sets the tags.
    expect((await patch(`/deployments/${deployment}`, worker.secret, ['team-a', 'cold'])).status).toBe(204);
    expect((await call('/plain/v1/x', { token })).status).toBe(200);
    expect((await call('/plain/v1/x', { token: second })).status).toBe(200);
    const told = await Promise.all(seen().map(({ headers }) => verified(headers['x-lictor-assertion'], 'plain')));
    expect(told.map(({ sub }) => sub).sort()).toEqual([`run:${run}`, `run:${started}`].sort());
    expect(told.map(({ tags }) => tags)).toEqual([['team-a'], ['team-a']]);
  });

  it('its calls end with its token, and explain says the same of each', async () => {
    const { run, token } = await begun('team-a');
    expect((await call('/plain/v1/x', { token })).status).toBe(200);
    const explained = async (principal: string, request: string) =>
      JSON.parse((await gateway.lictor('explain', principal, '--request', request, '--json')).output);
    expect(await explained(`run:${run}`, 'GET /.lictor/svc/plain/v1/x')).toMatchObject({
      decision: 'allow',
      asks: [{ action: 'services.call', resource_id: 'plain/v1/*', attributes: { tags: ['team-a'] }, policies: [{ id: 'team-a-calls' }] }],
    });
    expect(await explained(`run:${run}`, 'GET /.lictor/svc/plain/v2/x')).toMatchObject({ decision: 'deny', reason: 'service-route-unknown' });
    expect(await explained('role:run', 'GET /.lictor/svc/plain/v1/x')).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    // To be started anew by its worker: whatever still runs is the former attempt.
    await setState(gateway, run, worker.secret, 'SCHEDULED', { force: true });
    await expectRefusal(await call('/plain/v1/x', { token }), 401, 'run-token-ended');
  });
});

it('doctor proves that what must be denied is, and asks no service anything', async () => {
  await waitFor(() => [one, two].every((server) => (server?.seen().length ?? 0) > 0), { what: 'servers to be looked after', timeoutMs: 30_000 });
  const { lines } = await lookFor([], async () => diagnosisOf(await gateway.lictor('doctor', '--json')));
  const [door, ...others] = lines.filter(({ group, check }) => group === 'public-url' && check === 'services');
  expect(door).toMatchObject({
    status: 'ok',
    message: expect.stringMatching(/^calls of plain, .*streaming: denied without a credential \(401\), and outside of services\[\]\.allow \(403\)$/),
  });
  expect(others).toEqual([]);
  for (const server of [plain, keyed, third, one, two]) expect(server?.seen().filter(({ target }) => target !== '/health')).toEqual([]);
});

describe('TLS to a service', () => {
  it('with the client certificate it answers; without one, or under another name, nobody', async () => {
    expect(await (await call('/sealed/x')).text()).toBe('sealed met leaf-2 at /x');
    await expectRefusal(await call('/foreign/x'), 503, 'service-unavailable');
    const unsealed = await call('/unsealed/x');
    expect(unsealed.status).not.toBe(200);
    expect(await unsealed.text()).not.toContain('sealed met');
  });
});

describe('streams', () => {
  it('an event arrives before the next one is there', async () => {
    const response = await call('/streaming/events', { headers: { accept: 'text/event-stream' } });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: first\n\n');
    await call('/streaming/more');
    expect((await reader?.read())?.value).toBe('data: last\n\n');
  });

  it('a body goes on while it is sent, and its answer comes meanwhile', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const answer = call('/streaming/echo', { method: 'POST', body: readable, duplex: 'half' });
    await writer.write(Buffer.from('one'));
    const reader = (await answer).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one');
    await writer.write(Buffer.from('two'));
    await writer.close();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('two');
  });

  it('what is too large is 413, and what takes too long 503', async () => {
    await expectRefusal(await call('/streaming/echo', { method: 'POST', body: Buffer.alloc(17 << 20) }), 413, 'body-too-large');
    await expectRefusal(await call('/streaming/never'), 503, 'service-timeout');
  });
});

describe('a limit', () => {
  it('lets a greedy run wait, then refuses it with a number; the others have their own turns', async () => {
    const runs: BegunRun[] = [];
    while (runs.length < 4) runs.push(await begun('team-a'));
    const [greedy, ...others] = runs;
    const client = openClient(gateway, '/.lictor/svc/limited/now');
    const atOnce = (run: BegunRun | undefined, count: number) => client.paced(run?.token ?? '', { perSecond: 1_000_000, count });
    const [of, ...ofOthers] = await Promise.all([atOnce(greedy, 60), ...others.map((run) => atOnce(run, 5))]);
    const passed = of.filter(({ status }) => status === 200);
    const refused = of.filter(({ status }) => status === 429);
    // 5 at once and 10 more that wait for up to two seconds, and what the rate gives while they come in.
    expect(passed.length).toBeGreaterThanOrEqual(15);
    expect(refused.length).toBeGreaterThan(0);
    expect(passed.length + refused.length).toBe(60);
    expect(Math.max(...passed.map(({ ms }) => ms))).toBeGreaterThan(500);
    for (const { retryAfter } of refused) expect(retryAfter).toMatch(/^[1-9][0-9]*$/);
    expect(ofOthers.flat().map(({ status }) => status)).toEqual(Array.from({ length: 15 }, () => 200));
    await client.close();
    const [record] = await callRecords(1, '--flow-run', greedy?.run ?? '', '--decision', 'deny');
    expect(record).toMatchObject({ status: 429, reason: 'limit-exceeded', path_taken: 'egress', service: 'limited', run_binding: 'verified' });
  });

  it('of how many are under way refuses one more, and takes it when one has ended', async () => {
    const open = [await call('/few/events'), await call('/few/events')];
    await expectRefusal(await call('/few/now'), 429, 'limit-exceeded');
    await Promise.all(open.map((response) => response.body?.cancel()));
    await waitFor(async () => (await call('/few/now')).status === 200, { what: 'room for one more', timeoutMs: 60_000 });
  });
});

describe('one of three servers is killed under load', () => {
  killedTests(() => ({ gateway, token: caller.secret, servers: three }));
});

describe('how a server is chosen', () => {
  balanceTests(() => ({ gateway, token: caller.secret, servers: three, begun }));
});

describe('servers that are looked after', () => {
  const calls = () => two?.seen().filter(({ target }) => target !== '/health') ?? [];
  /** Of several calls in a row: how many the second server got. */
  async function share(init: Parameters<Gateway['fetch']>[1] = {}): Promise<number> {
    two?.clear();
    for (let asked = 0; asked < 6; asked += 1) expect((await call('/watched/x', init)).status).toBe(200);
    return calls().length;
  }

  it('one that answers its health with an error gets no calls until it answers well, without a reload', async () => {
    const before = gateway.pids().workers;
    // Each worker of nginx goes round by itself.
    await waitFor(async () => (await share()) > 0, { what: 'calls at both', timeoutMs: 30_000 });
    two?.answerWith(({ target }) => (target === '/health' ? { status: 500, body: '' } : undefined));
    await waitFor(async () => (await share()) === 0, { what: 'the server to be out', timeoutMs: 30_000, everyMs: 200 });
    two?.answerWith(undefined);
    await waitFor(async () => (await share()) > 0, { what: 'the server to be back', timeoutMs: 30_000, everyMs: 200 });
    expect(gateway.pids().workers).toEqual(before);
  });

  it('one that is killed fails no call, and a body goes to the other one; with none left the gateway says so', async () => {
    const post = { method: 'POST', body: '{"n":1}', headers: { 'content-type': 'application/json' } };
    await two?.pause();
    expect(await share(post)).toBe(0);
    expect(one?.seen().filter(({ method, body }) => method === 'POST' && body.toString() === '{"n":1}')).toHaveLength(6);
    await one?.pause();
    await expectRefusal(await call('/watched/x', post), 503, 'service-unavailable');
    await expectRefusal(await call('/watched/x'), 503, 'service-unavailable');
    const failed = async () => (await recordsOf('--action', 'services.call')).find(({ service, status }) => service === 'watched' && status === 503);
    await waitFor(async () => (await failed()) !== undefined, { what: 'the record of an outage', timeoutMs: 30_000, everyMs: 500 });
    expect(await failed()).toMatchObject({ reason: 'service-unavailable', decision: 'allow' });
    await one?.resume();
    await two?.resume();
    await waitFor(async () => (await call('/watched/x')).status === 200, { what: 'a server to be back', timeoutMs: 30_000 });
  });

  it('wrong for all, it ends nothing', async () => {
    for (const server of [one, two]) server?.answerWith(({ target }) => (target === '/health' ? { status: 404, body: '' } : undefined));
    const asked = () => [one, two].every((server) => (server?.seen().filter(({ target }) => target === '/health').length ?? 0) > 4);
    await waitFor(asked, { what: 'health to be asked some times', timeoutMs: 30_000 });
    expect((await call('/watched/x')).status).toBe(200);
  });
});

describe('after a change', () => {
  it('a revoked token is refused by the next call', async () => {
    const short = await gateway.token('short', ['admin']);
    expect((await call('/keyed/x', { token: short.secret })).status).toBe(200);
    expect((await call('/keyed/x', { token: short.secret })).status).toBe(200);
    await gateway.lictorOk('token', 'revoke', 'short');
    await expectRefusal(await call('/keyed/x', { token: short.secret }), 401, 'credential-revoked');
  });

  it('a new key signs at once, and the former one is still published', async () => {
    await call('/keyed/before');
    const before = keyed?.seen()[0]?.headers['x-lictor-assertion'] ?? '';
    await gateway.lictorOk('rotate', 'keys');
    const newer = async () => {
      await call('/keyed/after');
      const now = keyed?.seen().at(-1)?.headers['x-lictor-assertion'] ?? '';
      return decodeProtectedHeader(now).kid !== decodeProtectedHeader(before).kid;
    };
    await waitFor(newer, { what: 'an assertion by the new key', timeoutMs: 30_000, everyMs: 500 });
    expect((await verified(before, 'keyed')).sub).toBe('token:caller');
    expect((await verified(keyed?.seen().at(-1)?.headers['x-lictor-assertion'], 'keyed')).sub).toBe('token:caller');
  });
});

describe('docs/reference/service-calls.md', () => {
  const addressed = (block: string) => block.replaceAll('https://prefect.example.com', gateway.url).replaceAll(/(['"])billing\1/g, '$1keyed$1');
  /** One for the service of the page, and one for another. */
  async function assertions(): Promise<{ readonly good: string; readonly foreign: string }> {
    await Promise.all([call('/keyed/docs'), call('/plain/v1/docs')]);
    const told = (at: string) => seen().find(({ target }) => target === at)?.headers['x-lictor-assertion'] ?? '';
    return { good: told('/docs'), foreign: told('/v1/docs') };
  }

  it('its TypeScript takes an assertion for this service, and no other token', async () => {
    symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'verify.ts'), addressed(docsBlock('reference/service-calls.md', 'import { createRemoteJWKSet')));
    const module: { whoCalls(assertion: string): Promise<JWTPayload> } = await import(join(directory, 'verify.ts'));
    const { good, foreign } = await assertions();
    expect((await module.whoCalls(good)).sub).toBe('token:caller');
    await expect(module.whoCalls(`${good.slice(0, -4)}AAAA`)).rejects.toThrow();
    await expect(module.whoCalls(foreign)).rejects.toThrow('aud');
  });

  it('its Python does the same', async () => {
    const venv = await pyjwtVenv();
    writeFileSync(
      join(directory, 'verify.py'),
      `${addressed(docsBlock('reference/service-calls.md', 'import jwt'))}\nimport sys\nprint(who_calls(sys.argv[1])["sub"])\n`,
    );
    const python = (text_: string) =>
      runProgram({ name: 'verify.py', command: join(venv, 'bin/python'), args: [join(directory, 'verify.py'), text_], env: {}, timeoutMs: 60_000 });
    const { good, foreign } = await assertions();
    expect((await python(good)).output).toContain('token:caller');
    const other = await python(foreign);
    expect(other.code).not.toBe(0);
    expect(other.output).toContain('InvalidAudienceError');
  });
});

it('the key of a service is in no log', () => {
  for (const log of ['access.log', 'control.log', 'edge-error.log'])
    expect(readFileSync(join(gateway.stateDir, 'log', log), 'utf8')).not.toContain('key-of-the-service');
});
