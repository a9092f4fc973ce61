// A simulated worker: the requests, the frames and the connections of a stock one that waits for runs.
import { Agent, request } from 'node:http';
import WebSocket from 'ws';
import { heartbeatFrame, helloFrame, newSelf } from './frames.ts';

export interface WorkerPlace {
  /** `http://HOST:PORT` of the gateway, or of Prefect itself. */
  readonly url: string;
  readonly pool: string;
  readonly name: string;
  /** Of the upgrade and of each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The token of the first frame, in which Prefect itself takes its auth string. */
  readonly frameToken: string | null;
  /** A separate address of loopback, so that the gateway sees as many clients as there are workers. */
  readonly localAddress: string;
}

export type Kind = 'poll' | 'heartbeat' | 'socket';

/** `problem` is null after a success: for a socket, after `worker.ready.v1`. */
export type Report = (kind: Kind, problem: string | null, ms: number) => void;

export interface SimulatedWorker {
  /** Prefect has answered the first frame of its channel, and the channel is open. */
  hasSocket(): boolean;
  /** `performance.now()` of the start of the last poll that succeeded. */
  polledAtMs(): number;
  stop(): void;
}

export const POLL_MS = 10_000;
export const HEARTBEAT_MS = 30_000;
/** As Prefect's loops have it: each interval is up to 30 % shorter or longer. */
const JITTER = 0.3;
/** httpx closes a connection that was idle for so long, at the next request. */
const KEEP_ALIVE_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Begins at once: the channel, then the first poll and heartbeat at a random moment of their interval. */
export function startWorker(place: WorkerPlace, report: Report): SimulatedWorker {
  const ask = createClient(place);
  let [stopped, polledAtMs] = [false, Number.NEGATIVE_INFINITY];
  const timers = new Map<Kind, NodeJS.Timeout>();
  const channel = createChannel(place, { report, later: (ms, step) => void timers.set('socket', setTimeout(step, ms)), isStopped: () => stopped });
  const loop = (kind: 'poll' | 'heartbeat', ms: number, send: () => Promise<string | null>): void => {
    const turn = async (): Promise<void> => {
      const startedMs = performance.now();
      const problem = await send();
      if (stopped) return;
      if (kind === 'poll' && problem === null) polledAtMs = startedMs;
      report(kind, problem, performance.now() - startedMs);
      timers.set(kind, setTimeout(turn, jittered(ms)));
    };
    timers.set(kind, setTimeout(turn, Math.random() * ms));
  };
  const base = `/api/work_pools/${place.pool}`;
  loop('poll', POLL_MS, () => ask(`${base}/get_scheduled_flow_runs`, { scheduled_before: new Date(Date.now() + 10_000).toISOString() }, 200));
  loop('heartbeat', HEARTBEAT_MS, () => ask(`${base}/workers/heartbeat`, { name: place.name, heartbeat_interval_seconds: 30 }, 204));
  return {
    hasSocket: channel.isReady,
    polledAtMs: () => polledAtMs,
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      channel.close();
      ask.close();
    },
  };
}

function jittered(ms: number): number {
  return ms * (1 - JITTER + Math.random() * 2 * JITTER);
}

/** One connection, as httpx uses it. Answers null, or what went wrong. */
function createClient({ url, headers, localAddress }: WorkerPlace) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(url);
  let [usedMs, open] = [Number.NEGATIVE_INFINITY, 0];
  const ask = (path: string, body: object, wanted: number): Promise<string | null> => {
    if (open === 0 && performance.now() - usedMs > KEEP_ALIVE_MS) agent.destroy();
    open += 1;
    const text = JSON.stringify(body);
    const own = { ...headers, host: `${hostname}:${port}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve) => {
      const end = (problem: string | null): void => {
        usedMs = performance.now();
        open -= 1;
        resolve(problem);
      };
      const options = { host: '127.0.0.1', port, path, method: 'POST', headers: own, agent, localAddress, timeout: REQUEST_TIMEOUT_MS };
      const outgoing = request(options, (response) => {
        response.resume();
        response.once('end', () => end(response.statusCode === wanted ? null : `${response.statusCode}`));
        response.once('error', (error) => end(codeOf(error)));
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')));
      outgoing.once('error', (error) => end(codeOf(error)));
      outgoing.end(text);
    });
  };
  return Object.assign(ask, { close: () => agent.destroy() });
}

interface ChannelParts {
  readonly report: Report;
  readonly later: (ms: number, step: () => void) => void;
  readonly isStopped: () => boolean;
}

/** The worker's channel, opened again by the rule of Prefect's client (workers/_worker_channel/_transport.py): after 1, 2, 4... 30 s, without jitter. */
function createChannel(place: WorkerPlace, { report, later, isStopped }: ChannelParts) {
  const self = newSelf(place.name);
  let [socket, ready, attempt]: [WebSocket | undefined, boolean, number] = [undefined, false, 0];
  const open = (): void => {
    const startedMs = performance.now();
    const { hostname, port } = new URL(place.url);
    const address = `ws://127.0.0.1:${port}/api/work_pools/${place.pool}/workers/connect`;
    const options = { headers: { ...place.headers, host: `${hostname}:${port}` }, localAddress: place.localAddress, perMessageDeflate: false };
    const mine = new WebSocket(address, ['prefect'], options);
    socket = mine;
    let problem = 'closed';
    let beat: NodeJS.Timeout | undefined;
    mine.once('open', () => mine.send(JSON.stringify({ type: 'auth', token: place.frameToken })));
    mine.once('unexpected-response', (_request, response) => {
      problem = `upgrade ${response.statusCode}`;
      mine.terminate();
    });
    mine.on('error', (error) => {
      if (problem === 'closed') problem = codeOf(error);
    });
    mine.on('message', (data) => {
      const type = typeOf(String(data));
      if (type === 'auth_success') mine.send(helloFrame(self, 'process'));
      if (type !== 'worker.ready.v1') return;
      [ready, attempt] = [true, 0];
      report('socket', null, performance.now() - startedMs);
      beat = setInterval(() => mine.send(heartbeatFrame(self)), HEARTBEAT_MS);
    });
    mine.once('close', (code) => {
      clearInterval(beat);
      ready = false;
      if (isStopped()) return;
      report('socket', problem === 'closed' ? `close ${code}` : problem, performance.now() - startedMs);
      later(Math.min(30_000, 1000 * 2 ** attempt), open);
      attempt += 1;
    });
  };
  open();
  return { isReady: () => ready, close: () => socket?.terminate() };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

function typeOf(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null && 'type' in parsed ? parsed.type : undefined;
}
