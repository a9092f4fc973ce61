// Requests at an even pace that go on whatever breaks, with the client's own list: which id was answered, how, and when.
import { Agent, request } from 'node:http';
import type { Gateway } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';

export interface Answered {
  /** `X-Request-Id` of the answer. */
  readonly id: string;
  readonly status: number;
  /** It asked for a change that goes through the mediator. */
  readonly mediated: boolean;
  /** Epoch milliseconds: when it was sent, and when the answer was whole. */
  readonly sentMs: number;
  readonly atMs: number;
}

export interface KillLoad {
  readonly answered: readonly Answered[];
  /** Requests without an answer: the connection broke. */
  broken(): number;
  sent(): number;
  /** Waits for so many more answers. */
  more(count: number): Promise<void>;
  /** Sends no more; resolves when nothing is under way. */
  stop(): Promise<void>;
}

export interface KillLoadOptions {
  readonly gateway: Pick<Gateway, 'url' | 'port'>;
  readonly token: string;
  readonly perSecond: number;
}

const TICK_MS = 20;
/** As many connections as the nginx workers have at most in flight. */
export const CONNECTIONS = 32;
/** Of ten requests. */
const MEDIATED_OF_TEN = 2;
const STATE = JSON.stringify({ state: { type: 'RUNNING', name: 'Running' }, force: false });

export function startKillLoad({ gateway: { url, port }, token, perSecond }: KillLoadOptions): KillLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answered: Answered[] = [];
  const startedMs = performance.now();
  let [sent, broken, owed] = [0, 0, 0];
  const headers = { host: new URL(url).host, authorization: `Bearer ${token}` };

  function send(): void {
    const mediated = sent % 10 < MEDIATED_OF_TEN;
    const path = `/api/flow_runs/00000000-0000-4000-8000-${(sent % 997).toString(16).padStart(12, '0')}${mediated ? '/set_state' : ''}`;
    const sentMs = Date.now();
    sent += 1;
    owed += 1;
    const body = mediated ? { 'content-type': 'application/json', 'content-length': STATE.length } : {};
    let begun = false;
    const outgoing = request({ host: '127.0.0.1', port, path, method: mediated ? 'POST' : 'GET', agent, headers: { ...headers, ...body } }, (response) => {
      const { statusCode: status = 0 } = response;
      begun = true;
      response.resume();
      response.once('end', () => answered.push({ id: String(response.headers['x-request-id']), status, mediated, sentMs, atMs: Date.now() }));
      response.once('close', () => {
        if (!response.complete) broken += 1;
        owed -= 1;
      });
    });
    outgoing.once('error', () => {
      if (begun) return;
      broken += 1;
      owed -= 1;
    });
    outgoing.end(mediated ? STATE : '');
  }

  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * perSecond;
    while (sent < due && owed < CONNECTIONS * 2) send();
  }, TICK_MS);

  return {
    answered,
    broken: () => broken,
    sent: () => sent,
    async more(count) {
      const wanted = answered.length + count;
      await waitFor(() => answered.length >= wanted, { what: `${count} more answers`, timeoutMs: 120_000 });
    },
    async stop() {
      clearInterval(timer);
      await waitFor(() => owed === 0, { what: 'the last answers', timeoutMs: 90_000 });
      agent.destroy();
    },
  };
}
