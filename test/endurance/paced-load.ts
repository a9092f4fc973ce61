// A day's requests at an even pace: reads, writes, mediated changes and refusals, as Prefect's clients send them.
import { Agent, request } from 'node:http';
import type { Gateway } from '../env/gateway.ts';

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
  /** How long each line of the access log is to be at least. */
  readonly lineBytes: number;
}

export interface Tokens {
  readonly worker: string;
  readonly viewer: string;
}

/** What was answered. */
export interface Answered {
  /** Ids of requests from an authenticated principal, allowed or denied. */
  readonly ids: readonly string[];
  /** How many were refused before anybody knew who asks: their records are summed up beyond some a minute. */
  readonly anonymous: number;
  readonly statuses: ReadonlyMap<number, number>;
}

interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: object;
}

const TICK_MS = 20;
/** A guessed credential, and a target that is not canonical. */
const ANONYMOUS = new Set([401, 400]);
/** A machine that falls behind takes longer, instead of piling requests up. */
const MOST_AT_ONCE = 256;
/** What a line has without the user agent. */
const LINE_WITHOUT_AGENT = 480;

/** Every request of the plan is sent, however long that takes. `onSecond` is called about once a second. */
export async function sendPaced({ url, port }: Pick<Gateway, 'url' | 'port'>, tokens: Tokens, pace: Pace, onSecond: () => void): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const userAgent = 'prefect/3.9.1 (API 0.8.4) '.padEnd(Math.max(0, pace.lineBytes - LINE_WITHOUT_AGENT), 'x');
  const total = pace.perSecond * pace.seconds;
  const ids: string[] = [];
  const statuses = new Map<number, number>();
  const startedMs = performance.now();
  let sent = 0;
  let answered = 0;
  let lastSecondMs = startedMs;
  return new Promise((resolve, reject) => {
    const send = (): void => {
      const { method, path, token, body } = ask(sent, tokens);
      sent += 1;
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${token}`,
        'user-agent': userAgent,
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      const outgoing = request({ host: '127.0.0.1', port, path, method, agent, headers: { host: new URL(url).host, ...headers } }, (response) => {
        response.resume().once('end', () => {
          const status = response.statusCode ?? 0;
          answered += 1;
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (!ANONYMOUS.has(status)) ids.push(String(response.headers['x-request-id']));
          if (answered === total) finish();
        });
      });
      outgoing.once('error', (error) => finish(error));
      outgoing.end(text);
    };
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const due = Math.min(total, Math.ceil(((nowMs - startedMs) / 1000) * pace.perSecond));
      while (sent < due && sent - answered < MOST_AT_ONCE) send();
      if (nowMs - lastSecondMs < 1000) return;
      lastSecondMs = nowMs;
      onSecond();
    }, TICK_MS);
    const finish = (error?: Error): void => {
      clearInterval(timer);
      agent.destroy();
      if (error === undefined) resolve({ ids, anonymous: total - ids.length, statuses });
      else reject(error);
    };
  });
}

/** Of a hundred: eighty-odd reads of two principals, ten batches of logs, two changes of a run, two guesses, one denial, one target that is not canonical. */
function ask(index: number, { worker, viewer }: Tokens): Ask {
  const run = `00000000-0000-4000-8000-${(index % 997).toString(16).padStart(12, '0')}`;
  const kind = index % 100;
  if (kind < 2)
    return { method: 'POST', path: `/api/flow_runs/${run}/set_state`, token: worker, body: { state: { type: 'RUNNING', name: 'Running' }, force: false } };
  if (kind < 12) return { method: 'POST', path: '/api/logs/', token: worker, body: [] };
  if (kind < 14) return { method: 'GET', path: `/api/flow_runs/${run}`, token: `lct_${index.toString().padStart(68, '0')}` };
  if (kind === 14) return { method: 'POST', path: `/api/flow_runs/${run}/set_state`, token: viewer, body: { state: { type: 'CANCELLED' }, force: false } };
  if (kind === 15) return { method: 'GET', path: '/api//flow_runs', token: worker };
  return { method: 'GET', path: `/api/flow_runs/${run}`, token: kind % 2 === 0 ? worker : viewer };
}
