// A tiny upstream in place of Prefect that remembers everything that reached it: proof for "nothing upstream".
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { freePort } from './free-port.ts';

export interface Recorded {
  readonly method: string;
  /** The raw target. */
  readonly target: string;
  /** Lower-case names; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** True for a socket upgrade. */
  readonly socket: boolean;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Recorder {
  readonly url: string;
  readonly authString: string;
  /** Everything since the last `clear`, but the gateway's own looks at health and version. */
  seen(): readonly Recorded[];
  clear(): void;
  /** First text frames that arrived on sockets. */
  firstFrames(): readonly string[];
  /** The text frames behind them. */
  laterFrames(): readonly string[];
  /** Answers instead of the default, as soon as it resolves; undefined: the default. */
  answerWith(answer: ((request: Recorded) => RecordedAnswer | undefined | Promise<RecordedAnswer | undefined>) | undefined): void;
  /** Takes this credential alone (an auth string, or an API key), as Prefect does; undefined, the default: any. */
  demand(credential: string | undefined): void;
  /** Refuses connections until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** Requests that the gateway makes by itself to see whether its upstream lives. */
const OWN_LOOKS = new Set(['/api/health', '/api/ready', '/api/admin/version']);

/** Also without the gateway's requests for events (src/record/timeline/feed/filter.ts) and its reports about runs (src/record/timeline/announce). */
const OWN_AGENTS: readonly (string | undefined)[] = ['lictor-events', 'lictor-announcements'];
const isFeed = ({ headers }: Recorded): boolean => OWN_AGENTS.includes(headers['user-agent']);
const NO_EVENTS: RecordedAnswer = { status: 200, body: '{"events":[],"total":0,"next_page":null}' };

/** Starts a recorder on a free port. */
export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = [];
  const frames: string[] = [];
  const later: string[] = [];
  let demanded: string | undefined;
  let answer: Parameters<Recorder['answerWith']>[0];
  const open = new Set<Socket>();
  // Longer than clients use a connection, because closing one fails a request that is on its way.
  const server = createServer({ keepAliveTimeout: 120_000 }, (incoming, response) => {
    void record(incoming, false).then(async (recorded) => {
      requests.push(recorded);
      reply(response, refusal(recorded, demanded) ?? (isFeed(recorded) ? NO_EVENTS : await answer?.(recorded)) ?? defaultAnswer(recorded));
    });
  });
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => (offered.has('prefect') ? 'prefect' : false) });
  server.on('upgrade', (incoming, socket, head) => {
    void record(incoming, true).then((recorded) => requests.push(recorded));
    const isOwn = incoming.headers['user-agent'] === 'lictor-events';
    sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      webSocket.once('message', (data) => {
        if (!isOwn) frames.push(String(data));
        if (demanded !== undefined && JSON.parse(String(data)).token !== demanded) {
          webSocket.close(1008, 'Auth required but no token provided');
          return;
        }
        webSocket.send(JSON.stringify({ type: 'auth_success' }));
        webSocket.on('message', (next) => isOwn || later.push(String(next)));
      });
    });
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy();
      server.close(() => resolve());
    });
  const own = await freePort();
  await listen(own);
  return {
    url: `http://127.0.0.1:${own}`,
    authString: 'gateway:only-the-gateway-knows-this',
    seen: () => requests.filter((one) => !isFeed(one) && (one.socket || !OWN_LOOKS.has(one.target))),
    clear: () => {
      requests.length = 0;
      frames.length = 0;
      later.length = 0;
    },
    firstFrames: () => [...frames],
    laterFrames: () => [...later],
    answerWith: (next) => {
      answer = next;
    },
    demand: (credential) => {
      demanded = credential;
    },
    pause: close,
    resume: () => listen(own),
    close,
  };
}

async function record(incoming: IncomingMessage, socket: boolean): Promise<Recorded> {
  const chunks: Buffer[] = [];
  if (!socket) for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
  const headers: Record<string, string> = {};
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    const name = (incoming.rawHeaders[at] ?? '').toLowerCase();
    const value = incoming.rawHeaders[at + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { method: incoming.method ?? '', target: incoming.url ?? '', headers, body: Buffer.concat(chunks), socket };
}

function reply(response: ServerResponse, { status, headers, body }: RecordedAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

/** Its middleware's own words; the health of a server is everybody's to ask. */
function refusal({ target, headers }: Recorded, demanded: string | undefined): RecordedAnswer | undefined {
  if (demanded === undefined || target === '/api/health' || target === '/api/ready') return undefined;
  const shown = [`Basic ${Buffer.from(demanded).toString('base64')}`, `Bearer ${demanded}`];
  return shown.includes(headers['authorization'] ?? '') ? undefined : { status: 401, body: '{"exception_message":"Unauthorized"}' };
}

function defaultAnswer({ method, target }: Recorded): RecordedAnswer {
  if (target === '/api/health') return { status: 200, body: 'true' };
  if (target === '/api/admin/version') return { status: 200, body: '"3.9.1"' };
  if (target.startsWith('/api/csrf-token')) return { status: 422, body: '{"detail":"CSRF protection is disabled."}' };
  return { status: 200, body: method === 'POST' && target.endsWith('/filter') ? '[]' : '{}' };
}
