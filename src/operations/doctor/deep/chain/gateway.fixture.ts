// For tests: a server that answers as the gateway does, behind a proxy that spoils requests and answers as a test says.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { sessionCookieName } from '../../../../contract/names.ts';

export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isSocket: boolean;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** What a proxy does. */
export interface Spoiled {
  readonly request?: (asked: Asked) => Asked;
  /** Undefined: it forwards the request. */
  readonly instead?: (asked: Asked) => Answered | undefined;
  readonly answer?: (answered: Answered, asked: Asked) => Answered;
  readonly readsBodies?: boolean;
  /** Ends the connection without an answer. */
  readonly cuts?: (asked: Asked) => boolean;
  /** The address that the gateway records; default: of the client. */
  readonly recorded?: (asked: Asked) => string;
}

export interface FakeGateway {
  readonly port: number;
  readonly accessLog: string;
  readonly returnTo: (attempt: string) => Promise<string | undefined>;
  close(): void;
}

export interface FakeOptions extends Spoiled {
  readonly basePath: string;
  readonly secure: boolean;
  readonly token: string;
}

/** The name is localhost, or gateway.example with TLS that only the test thinks of. */
export async function startFakeGateway(options: FakeOptions): Promise<FakeGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-chain-'));
  const accessLog = join(directory, 'access.log');
  writeFileSync(accessLog, '');
  const attempts = new Map<string, string>();
  const state: State = { ...options, attempts, count: 0, host: () => (options.secure ? 'gateway.example' : `localhost:${portOf(server)}`) };
  const server = createServer((incoming, response) => void answer(state, accessLog, incoming, response));
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  server.on('upgrade', (incoming, socket, head) => {
    const asked = spoil(state, askedOf(incoming, '', true));
    if (asked.headers['x-lictor-token'] === state.token) return sockets.handleUpgrade(incoming, socket, head, () => undefined);
    const { status, headers, body } = refuseSocket(state, asked);
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    accessLog,
    returnTo: async (attempt) => attempts.get(attempt),
    close() {
      server.close();
      server.closeAllConnections();
      for (const client of sockets.clients) client.terminate();
      rmSync(directory, { recursive: true });
    },
  };
}

interface State extends FakeOptions {
  readonly attempts: Map<string, string>;
  readonly host: () => string;
  count: number;
}

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

function askedOf({ method = '', url = '', headers }: IncomingMessage, body: string, isSocket: boolean): Asked {
  return { method, target: url, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), isSocket, body };
}

function spoil({ request }: State, asked: Asked): Asked {
  return request?.(asked) ?? asked;
}

async function answer(state: State, accessLog: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const isLarge = Number(incoming.headers['content-length'] ?? 0) > 1_000_000;
  const body = isLarge && state.readsBodies !== true ? '' : (await buffer(incoming)).toString('latin1');
  const client = askedOf(incoming, body, false);
  if (state.cuts?.(client) === true) return void incoming.socket.destroy();
  const asked = spoil(state, client);
  const own = gatewayAnswer(state, asked);
  const address = state.recorded?.(client) ?? incoming.socket.remoteAddress ?? '';
  appendFileSync(accessLog, `${JSON.stringify({ request_id: own.headers['x-request-id'], addr: address })}\n`);
  const { status, headers, body: text } = state.instead?.(client) ?? state.answer?.(own, client) ?? own;
  response.writeHead(status, { ...headers, connection: 'close' } as Record<string, string>).end(text);
}

const KNOWN_WRONG = /\/\/|%2f|%5c/i;

function gatewayAnswer(state: State, asked: Asked): Answered {
  const { basePath } = state;
  const refuse = (status: number, code: string): Answered => refusal(state, status, code);
  if (asked.headers['host'] !== state.host() && asked.target !== `${basePath}/.lictor/health`) return refuse(400, 'host-unknown');
  if (asked.target === `/.well-known/oauth-authorization-server${basePath}`) return json(state, { issuer: originOf(state) + basePath });
  if (!asked.target.startsWith(`${basePath}/`)) return refuse(404, 'not-found');
  const [path = ''] = asked.target.slice(basePath.length).split('?');
  if (KNOWN_WRONG.test(path)) return refuse(400, 'path-not-canonical');
  if ((asked.headers['cookie'] ?? '').split(`${sessionCookieName(state)}=`).length > 2) return refuse(400, 'request-invalid');
  if (path.startsWith('/.lictor/')) return ownPage(state, asked, path);
  if (asked.headers['sec-fetch-mode'] === 'navigate') return toLogin(state, asked);
  if (!hasToken(state, asked)) return refuse(401, 'credential-missing');
  return json(state, path === '/api/flows/filter' ? [] : '3.9.1');
}

function ownPage(state: State, asked: Asked, path: string): Answered {
  if (path === '/.lictor/health') return json(state, { status: 'ok' });
  if (path !== '/.lictor/logout') return refusal(state, 404, 'not-found');
  if (asked.method === 'POST' && asked.headers['origin'] !== originOf(state)) return refusal(state, 403, 'origin-foreign');
  const cookie = `${sessionCookieName(state)}=; Path=${state.basePath}/; HttpOnly; SameSite=Lax${state.secure ? '; Secure' : ''}; Max-Age=0`;
  const headers = { 'x-request-id': nextId(state), 'content-type': 'text/html', 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" };
  return { status: 200, headers: { ...headers, ...(asked.method === 'POST' && { 'set-cookie': [cookie] }) }, body: '<!doctype html>' };
}

function toLogin(state: State, asked: Asked): Answered {
  const attempt = `attempt-${nextId(state)}`;
  state.attempts.set(attempt, asked.target);
  return { status: 302, headers: { 'x-request-id': nextId(state), location: `${state.basePath}/.lictor/login?attempt=${attempt}` }, body: '' };
}

function hasToken({ token }: State, { headers }: Asked): boolean {
  const basic = Buffer.from((headers['authorization'] ?? '').replace(/^Basic /, ''), 'base64').toString();
  return headers['authorization'] === `Bearer ${token}` || basic === `doctor:${token}` || headers['x-lictor-token'] === token;
}

function refuseSocket(state: State, asked: Asked): Answered {
  if (!(asked.headers['cookie'] ?? '').includes(`${sessionCookieName(state)}=`)) return refusal(state, 401, 'credential-missing');
  return asked.headers['origin'] === originOf(state) ? refusal(state, 401, 'session-expired') : refusal(state, 403, 'origin-foreign');
}

function originOf(state: State): string {
  return `${state.secure ? 'https' : 'http'}://${state.host()}`;
}

function nextId(state: State): string {
  state.count += 1;
  return `request-${state.count}`;
}

function refusal(state: State, status: number, code: string): Answered {
  const id = nextId(state);
  const headers = { 'x-request-id': id, 'content-type': 'application/json', ...(status === 401 && { 'www-authenticate': 'Bearer realm="lictor"' }) };
  return { status, headers, body: JSON.stringify({ code, detail: 'No.', hint: '', request_id: id }) };
}

function json(state: State, value: unknown): Answered {
  return { status: 200, headers: { 'x-request-id': nextId(state), 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function page(status: number): Answered {
  return { status, headers: { 'content-type': 'text/html', server: 'balancer' }, body: '<!doctype html><title>No</title>' };
}
