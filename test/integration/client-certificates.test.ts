// Client certificates on a real gateway: who they make of a request, and everything that they must not open.
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { createServer, type Server } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { parse as parseYaml } from 'yaml';
import { ownCertificatePaths } from '../../src/config/state-dir.ts';
import { stockClient } from '../env/client.ts';
import { type ClientAuthority, type ClientPair, createClientAuthority } from '../env/client-authority.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { workersAfter } from '../env/gateway-processes.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { signalProcess, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { diagnose, linesOf } from './doctor/room.ts';

const WORKER = 'spiffe://acme/worker';
const READ = '/api/flows/00000000-0000-0000-0000-000000000001';
const PAGE = parseYaml(docsBlock('how-to/client-certificates.md', 'tls: { cert: chain.pem, key: key.pem, client_ca'));
const PROVIDERS = {
  identity_providers: [{ id: 'local', type: 'accounts' }, ...PAGE.identity_providers],
  roles: [...PAGE.roles, { role: 'deployer', members: [`user:${WORKER}@pki`] }],
};

let authority: ClientAuthority;
let foreign: ClientAuthority;
let recorder: Recorder;
let gateway: Gateway;
let worker: ClientPair;
let reader: string;
beforeAll(async () => {
  [authority, foreign] = [createClientAuthority(), createClientAuthority()];
  recorder = await startRecorder();
  gateway = await startWith(recorder);
  worker = authority.issue({ names: [`URI:${WORKER}`] });
  reader = (await gateway.token('reader', ['viewer'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
  authority?.remove();
  foreign?.remove();
});

function startWith(upstream: { readonly url: string; readonly authString: string | null }): Promise<Gateway> {
  return startGateway({ upstream, tls: { self_made: true, client_ca: authority.caFile, client_crl: authority.crlFile }, config: PROVIDERS });
}

const trust = (of = gateway) => ({ ca: readFileSync(ownCertificatePaths(of.stateDir).caFile) });

interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

interface Ask {
  readonly pair?: ClientPair;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

function ask(path: string, { pair, method = 'GET', headers = {}, agent = new Agent() }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = method === 'POST' ? { 'content-length': '2', 'content-type': 'application/json' } : {};
    const options = { ...trust(), ...(pair && { cert: pair.cert, key: pair.key }), method, agent, headers: { ...length, ...headers } };
    const request = httpsRequest(`${gateway.url}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: parse(Buffer.concat(chunks).toString()) }));
    });
    request.once('error', reject).end(method === 'POST' ? '{}' : undefined);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    const parsed: Record<string, unknown> = JSON.parse(text);
    return parsed;
  } catch {
    return {};
  }
}

interface Socket {
  readonly socket: WebSocket;
  /** Close code, or the status of a refused upgrade. */
  readonly ended: Promise<number>;
}

function openSocket(pair: ClientPair | undefined, headers: Readonly<Record<string, string>> = {}): Socket {
  const socket = new WebSocket(`${gateway.url.replace('https', 'wss')}/api/events/out`, ['prefect'], {
    ...trust(),
    ...(pair && { cert: pair.cert, key: pair.key }),
    headers,
  });
  const ended = new Promise<number>((resolve) => {
    socket.once('close', resolve);
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
  socket.on('error', () => undefined);
  return { socket, ended };
}

const opened = ({ socket, ended }: Socket) =>
  new Promise((resolve, reject) => {
    socket.once('open', resolve);
    void ended.then((end) => reject(new Error(`not opened: ${end}`)));
  });
const records = async (...args: string[]) => jsonLines(await gateway.lictorOk('audit', '--json', ...args));

describe('a certificate of the authority', () => {
  it('is who its name says, over HTTP/1.1 and HTTP/2, and the record names it', async () => {
    expect((await ask(READ, { pair: worker })).status).toBe(200);
    const session = connectHttp2(gateway.url, { ...trust(), cert: worker.cert, key: worker.key });
    const stream = session.request({ ':path': READ });
    const status = await new Promise((resolve, reject) => {
      stream.once('response', (headers) => resolve(headers[':status'])).once('error', reject);
      session.once('error', reject);
    });
    session.close();
    expect(status).toBe(200);
    await waitFor(async () => (await records('--principal', `${WORKER}@pki`)).length >= 2, { what: 'the records', timeoutMs: 60_000, everyMs: 200 });
    expect((await records('--principal', `${WORKER}@pki`))[0]).toMatchObject({
      decision: 'allow',
      idp: 'pki',
      principal_kind: 'service',
      credential_id: expect.stringMatching(/^certificate:[0-9a-f]{16}$/),
    });
  });

  it('may be signed by an authority below it, whose certificate comes along; without that, or once it is revoked there, it is refused', async () => {
    const below = authority.issueBelow({ names: [`URI:${WORKER}`], chain: 'sent' });
    expect(await ask(READ, { pair: below })).toMatchObject({ status: 200 });
    const incomplete = authority.issueBelow({ names: [`URI:${WORKER}`], chain: 'left out' });
    expect(await ask(READ, { pair: incomplete })).toMatchObject({ status: 401, body: { code: 'certificate-refused' } });
    authority.revoke(below);
    const former = gateway.pids().workers;
    signalProcess(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await ask(READ, { pair: below })).status === 401, {
      what: 'the revocation by the authority below',
      timeoutMs: 60_000,
      everyMs: 200,
    });
    await workersAfter(former, gateway.pids);
    expect(await ask(READ, { pair: below })).toMatchObject({ status: 401, body: { code: 'certificate-revoked' } });
    expect(await ask(READ, { pair: worker })).toMatchObject({ status: 200 });
  });

  it('is explained by its name: lictor explain NAME@pki', async () => {
    expect(await gateway.lictorOk('explain', `${WORKER}@pki`, 'worker.poll')).toMatch(/allow/i);
    expect((await gateway.lictor('explain', 'spiffe://acme/nobody@pki', 'worker.poll')).output).toMatch(/policy-default-deny/);
  });

  it('opens sockets, and never reaches Prefect itself', async () => {
    recorder.clear();
    const open = openSocket(worker);
    await opened(open);
    open.socket.send('{"type":"auth","token":null}');
    await waitFor(() => recorder.firstFrames().length > 0, { what: 'the socket at Prefect' });
    open.socket.close();
    await ask(READ, { pair: worker });
    const seen = JSON.stringify(recorder.seen());
    expect(seen).not.toMatch(/BEGIN|x-lictor-in|ssl-client|spiffe/i);
  });

  it('without a role may nothing; nobody without a certificate is anybody', async () => {
    const stranger = authority.issue({ names: ['URI:spiffe://acme/stranger'] });
    expect(await ask(READ, { pair: stranger })).toMatchObject({ status: 403, body: { code: 'policy-default-deny' } });
    expect(await ask(READ)).toMatchObject({ status: 401, body: { code: 'credential-missing' } });
    expect(await openSocket(stranger).ended).toBe(403);
  });

  it('of one is not the cached decision of another', async () => {
    const stranger = authority.issue({ names: ['URI:spiffe://acme/stranger'] });
    const path = '/api/flows/00000000-0000-0000-0000-000000000002';
    for (const _time of [1, 2, 3]) {
      expect((await ask(path, { pair: worker })).status).toBe(200);
      expect((await ask(path, { pair: stranger })).status).toBe(403);
      expect((await ask(path)).status).toBe(401);
    }
  });

  it('stands behind a token; a bad token is not saved by it', async () => {
    const good = await ask(READ, { pair: worker, headers: { authorization: `Bearer ${reader}` } });
    expect(good.status).toBe(200);
    expect((await ask('/api/deployments/', { pair: worker, method: 'POST', headers: { authorization: `Bearer ${reader}` } })).status).toBe(403);
    expect((await ask(READ, { pair: worker, headers: { authorization: 'Bearer lct_nonsense' } })).status).toBe(401);
  });
});

describe('a certificate that does not verify is refused, and says why', () => {
  const cases: readonly (readonly [string, () => ClientPair, string])[] = [
    ['of another authority of the same name', () => foreign.issue({ names: [`URI:${WORKER}`] }), 'certificate-refused'],
    ['out of date', () => authority.issue({ names: [`URI:${WORKER}`], days: -1 }), 'certificate-expired'],
    ['for a server', () => authority.issue({ names: [`URI:${WORKER}`], usage: 'serverAuth' }), 'certificate-refused'],
    ['that names two', () => authority.issue({ names: [`URI:${WORKER}`, 'URI:spiffe://acme/x'] }), 'certificate-nameless'],
  ];
  it.each(cases)('%s', async (_what, issue, code) => {
    const pair = issue();
    recorder.clear();
    const answer = await ask(READ, { pair });
    expect(answer).toMatchObject({ status: 401, body: { code, hint: expect.any(String), request_id: expect.any(String) } });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="lictor"');
    expect(await openSocket(pair).ended).toBe(401);
    expect(recorder.seen()).toEqual([]);
  });

  it('by nginx also beside a good token: nothing of such a connection counts', async () => {
    const pair = foreign.issue({ names: [`URI:${WORKER}`] });
    expect(await ask(READ, { pair, headers: { authorization: `Bearer ${reader}` } })).toMatchObject({ status: 401, body: { code: 'certificate-refused' } });
    expect((await ask('/.lictor-uncertified')).status).not.toBe(200);
  });
});

describe('what is not a certificate', () => {
  const pem = () => encodeURIComponent(worker.cert.toString());
  it.each(['X-Lictor-In-Certificate', 'X-SSL-Client-Cert', 'X-Client-Cert', 'X-Forwarded-Client-Cert', 'Ssl-Client-Verify'])(
    '%s by a client proves nothing',
    async (name) => {
      expect(await ask(READ, { headers: { [name]: pem() } })).toMatchObject({ status: 401, body: { code: 'credential-missing' } });
      const open = openSocket(undefined, { [name]: pem() });
      open.socket.once('open', () => open.socket.send('{"type":"auth","token":null}'));
      expect(await open.ended).toBe(1008);
    },
  );

  it('a session of TLS is not taken up again: a resumed one would bring the verdict of its first handshake', async () => {
    const options = { host: 'localhost', port: gateway.port, servername: 'localhost', ...trust(), cert: worker.cert, key: worker.key };
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tickets: Buffer[] = [];
      const first = connectTls({ ...options, maxVersion: version });
      first.on('session', (ticket) => tickets.push(ticket));
      await spoken(first);
      const second = connectTls({ ...options, maxVersion: version, ...(tickets[0] && { session: tickets[0] }) });
      expect(await spoken(second), version).toEqual({ reused: false });
    }
  });

  it('a page of another site cannot write or open sockets with the certificate of a browser; programs and our own pages can', async () => {
    const write = (headers: Readonly<Record<string, string>>) => ask('/api/deployments/', { pair: worker, method: 'POST', headers });
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
      expect(await write(headers), JSON.stringify(headers)).toMatchObject({ status: 403, body: { code: 'origin-foreign' } });
    }
    expect(await openSocket(worker, { origin: 'https://evil.example' }).ended).toBe(403);
    for (const headers of [{}, { origin: new URL(gateway.url).origin }, { 'sec-fetch-site': 'same-origin' }]) {
      expect((await write(headers)).body['code'], JSON.stringify(headers)).not.toBe('origin-foreign');
    }
  });
});

/** An answer has been read: tickets of TLS 1.3 come after the handshake. */
function spoken(socket: TLSSocket): Promise<{ readonly reused: boolean }> {
  return new Promise((resolve, reject) => {
    let reused = true;
    socket.once('secureConnect', () => {
      reused = socket.isSessionReused();
      socket.write('GET /.lictor/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket.once('error', reject);
    socket.once('close', () => resolve({ reused }));
    socket.resume();
  });
}

it('doctor says how long the lists are good, and sees nothing wrong with the certificates', async () => {
  const found = await diagnose(gateway);
  expect(linesOf(found, 'certificates', 'client-crl')).toMatchObject([{ status: 'ok', message: expect.stringContaining('valid until') }]);
  expect(found.lines.filter(({ group, status }) => group === 'certificates' && status !== 'ok')).toEqual([]);
});

it('a revoked one is out at once: on a new connection, on one that is open, and its sockets close', async () => {
  const pair = authority.issue({ names: [`URI:${WORKER}`] });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await ask(READ, { pair, agent })).status).toBe(200);
  const [gone, stays] = [openSocket(pair), openSocket(worker)];
  await Promise.all([opened(gone), opened(stays)]);
  for (const { socket } of [gone, stays]) socket.send('{"type":"auth","token":null}');
  authority.revoke(pair);
  const before = (await records('--action', 'config.reload')).length;
  signalProcess(gateway.pids().supervisor, 'SIGHUP');
  expect(await gone.ended).toBe(1008);
  // What was decided before is swept when the reload says that it is done.
  await waitFor(async () => (await records('--action', 'config.reload')).length > before, { what: 'the reload', timeoutMs: 60_000, everyMs: 200 });
  // An open connection helps no client: its request is rejected, or nginx's former worker closes it, perhaps during the request.
  const kept = await ask(READ, { pair, agent }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return ask(READ, { pair, agent });
    throw error;
  });
  expect(kept).toMatchObject({ status: 401, body: { code: 'certificate-revoked' } });
  await waitFor(async () => (await ask(READ, { pair })).body['code'] === 'certificate-revoked', { what: 'nginx to refuse it', timeoutMs: 60_000 });
  expect((await ask(READ, { pair: worker })).status).toBe(200);
  // Not taken from it: it is asked to come back, and nginx's new workers look at its certificate again.
  expect(await stays.ended).toBe(1012);
  const back = openSocket(worker);
  await opened(back);
  back.socket.close();
  agent.destroy();
}, 240_000);

it('a stock client gets there through anything that adds the certificate on its way', async () => {
  const prefect = sharedPrefect();
  const real = await startWith(prefect);
  const sidecar = await startSidecar(real);
  const client = stockClient({ venv: prefect.venv, url: sidecar.url, credential: { carrier: 'none', token: '' } });
  try {
    const pool = await client.prefect(['work-pool', 'create', `pki-${Date.now().toString(36)}`, '--type', 'process'], 240_000);
    expect(pool.code, pool.output).toBe(0);
  } finally {
    sidecar.server.close();
    await client.stop();
    await real.close();
  }
}, 300_000);

/** What stunnel, ghostunnel or a mesh does: plain on loopback, TLS with the certificate from there on. */
async function startSidecar(to: Gateway): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((plain) => {
    const secured = connectTls({ host: 'localhost', port: to.port, servername: 'localhost', ...trust(to), cert: worker.cert, key: worker.key });
    plain.pipe(secured).pipe(plain);
    for (const [one, other] of [[plain, secured] as const, [secured, plain] as const]) one.on('error', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, url: `http://localhost:${typeof address === 'object' ? address?.port : 0}` };
}
