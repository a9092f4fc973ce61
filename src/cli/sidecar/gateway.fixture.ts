// A gateway that accepts the credentials that a test names, and a sidecar before it.
import { createServer, type IncomingMessage, request as requestHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { readBounded } from './ask.ts';
import { type CredentialSource, SourceError } from './credential.ts';
import { type CredentialRefresher, createRefresher, type RefresherLimits } from './credential-refresher.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';
import { createTransport } from './transport.ts';

export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeGateway {
  readonly origin: string;
  /** Accepted credentials. */
  readonly valid: Set<string>;
  readonly seen: Seen[];
  /** Targets of requests whose head has arrived. */
  readonly begun: string[];
  /** Open sockets with their upgrade requests. */
  readonly sockets: { readonly socket: WebSocket; readonly request: IncomingMessage }[];
  /** `break`: the connection ends without an answer. */
  answer: (seen: Seen) => { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string } | 'break';
  stop(): Promise<void>;
  start(): Promise<void>;
}

export const REFUSAL = { detail: 'The credential has expired.', code: 'credential-expired', hint: 'Rotate it.', request_id: 'r1' };

export async function startFakeGateway(): Promise<FakeGateway> {
  const isValid = ({ headers }: IncomingMessage): boolean => gateway.valid.has((headers.authorization ?? '').replace(/^Bearer /, ''));
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has('prefect') ? 'prefect' : false) });
  const create = () =>
    createServer((request, response) => {
      gateway.begun.push(request.url ?? '');
      void readBounded(request, 64 * 1024 * 1024).then((body) => {
        const seen = { method: request.method ?? '', target: request.url ?? '', headers: request.headers, body: body.toString() };
        gateway.seen.push(seen);
        const answer = isValid(request) ? gateway.answer(seen) : { status: 401, body: JSON.stringify(REFUSAL) };
        if (answer === 'break') request.socket.destroy();
        else response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body ?? '');
      });
    }).on('upgrade', (request, raw, head) => {
      if (!isValid(request)) {
        const body = JSON.stringify(REFUSAL);
        raw.end(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
        return;
      }
      webSockets.handleUpgrade(request, raw, head, (socket) => {
        gateway.sockets.push({ socket, request });
        let greeted = socket.protocol !== 'prefect';
        socket.on('message', (data) => {
          if (greeted) socket.send(`echo ${String(data)}`);
          else socket.send(JSON.stringify({ type: 'auth_success' }));
          greeted = true;
        });
      });
    });
  let server = create();
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const gateway: FakeGateway = {
    origin: `http://127.0.0.1:${port}`,
    valid: new Set(['c1']),
    seen: [],
    begun: [],
    sockets: [],
    answer: () => ({ status: 200, body: '{}' }),
    async stop() {
      for (const { socket } of gateway.sockets.splice(0)) socket.terminate();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
    async start() {
      server = create();
      await listen(port);
    },
  };
  return gateway;
}

export interface Source extends CredentialSource {
  /** The next answer. Null: the source does not answer. */
  secret: string | null;
  lifeMs: number | null;
  asked: number;
}

export function scriptedSource(secret: string | null = 'c1', lifeMs: number | null = null): Source {
  const source: Source = {
    name: 'The provider',
    secret,
    lifeMs,
    asked: 0,
    async obtain() {
      source.asked += 1;
      if (source.secret === null) throw new SourceError('The provider is away.', { final: false });
      return { secret: source.secret, expiresAtMs: source.lifeMs === null ? null : Date.now() + source.lifeMs, lookAgainMs: null };
    },
  };
  return source;
}

export interface TestSidecar {
  readonly gateway: FakeGateway;
  readonly source: Source;
  readonly refresher: CredentialRefresher;
  readonly sidecar: Sidecar;
  readonly said: string[];
  close(): Promise<void>;
}

export async function openTestSidecar(limits: Partial<RefresherLimits> = {}, basePath = ''): Promise<TestSidecar> {
  const gateway = await startFakeGateway();
  const source = scriptedSource();
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const refresher = createRefresher({
    source,
    clock: Date.now,
    steady: () => performance.now(),
    say,
    limits: { waitMs: 100, firstPauseMs: 20, longestPauseMs: 20, forcedEveryMs: 0, ...limits },
  });
  await refresher.start(1000);
  const transport = createTransport({ authorities: [], env: {} });
  const sidecar = await startSidecar({ gateway: { origin: gateway.origin, hostname: '127.0.0.1', basePath }, refresher, transport, say });
  return {
    gateway,
    source,
    refresher,
    sidecar,
    said,
    async close() {
      refresher.stop();
      await sidecar.close();
      transport.close();
      await gateway.stop();
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** With any target and any headers: `fetch` would normalise them. */
export function askRaw(
  url: string,
  options: { readonly method?: string; readonly target?: string; readonly headers?: Record<string, string>; readonly body?: string },
): Promise<RawAnswer> {
  const { method = 'GET', target = '/api/flows', headers = {}, body = '' } = options;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = requestHttp({ hostname, port, method, path: target, headers, agent: false }, (response) => {
      readBounded(response, 64 * 1024 * 1024).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes.toString() }),
        reject,
      );
    });
    request.once('error', reject).end(body);
  });
}
