// The upstream's end of `/api/events/in`, in this process, so that one clock sees a message leave and arrive.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import WebSocket, { type RawData, WebSocketServer } from 'ws';
import { LictorError } from '../src/contract/error.ts';
import { percentile } from './numbers.ts';

const MESSAGES = 1000;
const PATIENCE_MS = 5000;
const TEXT = 'y'.repeat(500);

/** Where events arrive, whichever way they came. */
export interface Arrivals {
  readonly port: number;
  /** Resolves with the time (performance.now) at which the next message arrives. */
  next(): Promise<number>;
  close(): Promise<void>;
}

/** Answers the first frame of a socket as Prefect does; whatever follows is an arrival. */
export async function startArrivals(): Promise<Arrivals> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'prefect', perMessageDeflate: false });
  let arrived: (atMs: number) => void = () => {};
  server.on('connection', (socket) => {
    socket.once('message', () => {
      socket.send('{"type":"auth_success"}');
      socket.on('message', () => arrived(performance.now()));
    });
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new LictorError('bench-socket', 'no port for the socket upstream');
  return {
    port: address.port,
    next: () =>
      new Promise((resolve) => {
        arrived = resolve;
      }),
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}

export interface SocketWay {
  readonly url: string;
  readonly host: string;
  readonly token: string;
}

/** Sends one event after the other, each when the last has arrived. */
export async function sendEvents({ url, host, token }: SocketWay, arrivals: Arrivals): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const socket = new WebSocket(`${url}/api/events/in`, ['prefect'], { headers: { host, authorization: `Bearer ${token}` }, perMessageDeflate: false });
  try {
    await soon(once(socket, 'open'), 'did not open');
    socket.send(JSON.stringify({ type: 'auth', token }));
    await soon(once(socket, 'message'), 'was not accepted');
    const times: number[] = [];
    for (let index = 0; index < MESSAGES; index += 1) times.push(await timeOne(socket, arrivals));
    times.sort((a, b) => a - b);
    return { p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) };
  } finally {
    socket.terminate();
  }
}

/** A task run's state as a stock client reports it: what the gateway would drop is never timed. */
export function taskRunEvent(): Record<string, unknown> {
  const related = { 'prefect.resource.id': `prefect.flow-run.${randomUUID()}`, 'prefect.resource.role': 'flow-run' };
  return {
    id: randomUUID(),
    event: 'prefect.task-run.Completed',
    resource: { 'prefect.resource.id': `prefect.task-run.${randomUUID()}` },
    related: [related],
    payload: { text: TEXT },
  };
}

async function timeOne(socket: WebSocket, arrivals: Arrivals): Promise<number> {
  const arrival = arrivals.next();
  const data: RawData = Buffer.from(JSON.stringify(taskRunEvent()));
  const sentMs = performance.now();
  socket.send(data, { binary: false });
  return (await soon(arrival, 'lost an event')) - sentMs;
}

async function soon<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LictorError('bench-socket', `the socket ${otherwise} within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
