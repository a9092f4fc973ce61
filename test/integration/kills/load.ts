// Requests at an even pace that go on whatever breaks, with the client's own list: which id was answered, how, and when.
import type { Gateway } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { createConnection } from './connection.ts';

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
  /** What was reached, from the beginning to the end. */
  perSecond(): number;
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

const TICK_MS = 10;
/** As many as the nginx workers have at most in flight. */
export const CONNECTIONS = 32;
/** Of ten requests. */
const MEDIATED_OF_TEN = 2;
const STATE = JSON.stringify({ state: { type: 'RUNNING', name: 'Running' }, force: false });

/** An open loop: requests are sent on time, however slow the answers are. Without a free connection, a request goes out on the next one, so the rate holds. */
export function startKillLoad({ gateway: { url, port }, token, perSecond }: KillLoadOptions): KillLoad {
  const connections = Array.from({ length: CONNECTIONS }, () => createConnection(port));
  const answered: Answered[] = [];
  const startedMs = performance.now();
  let endedMs: number | undefined;
  let [sent, broken, owed] = [0, 0, 0];
  const head = `Host: ${new URL(url).host}\r\nAuthorization: Bearer ${token}\r\n`;

  function textOf(index: number, mediated: boolean): string {
    const run = `/api/flow_runs/00000000-0000-4000-8000-${(index % 997).toString(16).padStart(12, '0')}`;
    if (!mediated) return `GET ${run} HTTP/1.1\r\n${head}\r\n`;
    return `POST ${run}/set_state HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${STATE.length}\r\n\r\n${STATE}`;
  }

  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * perSecond;
    for (const connection of connections) {
      if (sent >= due) return;
      if (!connection.isFree()) continue;
      const mediated = sent % 10 < MEDIATED_OF_TEN;
      const sentMs = Date.now();
      const text = textOf(sent, mediated);
      sent += 1;
      owed += 1;
      connection.send(text, (answer) => {
        owed -= 1;
        if (answer === undefined) broken += 1;
        else answered.push({ ...answer, mediated, sentMs, atMs: Date.now() });
      });
    }
  }, TICK_MS);

  return {
    answered,
    broken: () => broken,
    sent: () => sent,
    perSecond: () => Math.round(sent / (((endedMs ?? performance.now()) - startedMs) / 1000)),
    async more(count) {
      const wanted = answered.length + count;
      await waitFor(() => answered.length >= wanted, { what: `${count} more answers`, timeoutMs: 120_000 });
    },
    async stop() {
      clearInterval(timer);
      endedMs = performance.now();
      await waitFor(() => owed === 0, { what: 'the last answers', timeoutMs: 90_000 });
      for (const connection of connections) connection.close();
    },
  };
}
