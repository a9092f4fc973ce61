// An upstream that repeats what a real Prefect answered to one simulated worker, for as many workers as Prefect itself cannot serve on this machine.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import WebSocket, { WebSocketServer } from 'ws';
import { freePort } from '../../env/free-port.ts';
import type { PrefectAddress } from '../../env/prefect-server.ts';
import { waitFor } from '../../env/process.ts';
import { helloFrame, newSelf } from './frames.ts';

export interface Recording {
  readonly poll: RecordedAnswer;
  readonly heartbeat: RecordedAnswer;
  /** `worker.ready.v1` of the channel. */
  readonly ready: string;
}

interface RecordedAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

export interface RecordedUpstream {
  readonly url: string;
  sockets(): number;
  close(): Promise<void>;
}

/** Prefect's: PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL. */
const PING_MS = 20_000;
/** One poll, one heartbeat and one channel. The pool must be there. */
export async function record(prefect: PrefectAddress, pool: string): Promise<Recording> {
  const authorization = `Basic ${Buffer.from(prefect.authString).toString('base64')}`;
  const ask = async (path: string, body: object): Promise<RecordedAnswer> => {
    const init = { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${prefect.url}/api/work_pools/${pool}${path}`, init);
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
  };
  const heartbeat = await ask('/workers/heartbeat', { name: 'recorded', heartbeat_interval_seconds: 30 });
  const poll = await ask('/get_scheduled_flow_runs', { scheduled_before: new Date().toISOString() });
  return { poll, heartbeat, ready: await readyFrame(prefect, pool) };
}

async function readyFrame({ url, authString }: PrefectAddress, pool: string): Promise<string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/work_pools/${pool}/workers/connect`, ['prefect']);
  const frames: string[] = [];
  socket.on('message', (data) => {
    frames.push(String(data));
    if (frames.length === 1) socket.send(helloFrame(newSelf('recorded'), 'process'));
  });
  socket.once('open', () => socket.send(JSON.stringify({ type: 'auth', token: authString })));
  await waitFor(() => frames.some((frame) => frame.includes('worker.ready.v1')), { what: 'the channel of a real Prefect' });
  socket.terminate();
  return frames.find((frame) => frame.includes('worker.ready.v1')) ?? '';
}

export async function startRecorded(recording: Recording): Promise<RecordedUpstream> {
  const port = await freePort();
  const channels = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server: Server = createServer(
    { keepAliveTimeout: 600_000 },
    (asked, answer) => void asked.resume().once('end', () => repeat(recording, asked, answer)),
  );
  server.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => channels.handleUpgrade(asked, socket, head, (each) => greet(each, recording)));
  const pings = setInterval(() => {
    for (const each of channels.clients) each.ping();
  }, PING_MS);
  await new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1', backlog: 4096 }, resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    sockets: () => channels.clients.size,
    async close() {
      clearInterval(pings);
      for (const each of channels.clients) each.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The gateway's own requests for health, version and events get an empty answer. */
function repeat({ poll, heartbeat }: Recording, { url = '', method }: IncomingMessage, answer: ServerResponse): void {
  const own = {
    status: 200,
    type: 'application/json',
    body: url.endsWith('/version') ? '"3.9.1"' : method === 'POST' ? '{"events":[],"total":0,"next_page":null}' : 'true',
  };
  const { status, type, body } = url.endsWith('/get_scheduled_flow_runs') ? poll : url.endsWith('/heartbeat') ? heartbeat : own;
  answer.writeHead(status, { ...(type !== null && { 'content-type': type }), ...(status !== 204 && { 'content-length': Buffer.byteLength(body) }) });
  answer.end(status === 204 ? undefined : body);
}

function greet(socket: WebSocket, { ready }: Recording): void {
  let frames = 0;
  socket.on('error', () => socket.terminate());
  socket.on('message', () => {
    frames += 1;
    if (frames === 1) socket.send('{"type":"auth_success"}');
    if (frames === 2) socket.send(ready);
  });
}
