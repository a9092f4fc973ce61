// 200 requests a second through the load balancer, whatever breaks, with the client's own list of answers.
import { setTimeout as wait } from 'node:timers/promises';
import { waitFor } from '../../env/process.ts';
import { createConnection } from '../../integration/kills/connection.ts';

export const PER_SECOND = 200;
const CONNECTIONS = 512;
const TICK_MS = 10;

export interface Tokens {
  /** Of viewers. */
  readonly readers: string[];
  readonly deployer: string;
  readonly worker: string;
}

export interface Answered {
  readonly status: number;
  readonly id: string;
  readonly retryAfter: string | undefined;
  readonly change: boolean;
  /** Epoch milliseconds. */
  readonly sentMs: number;
  readonly atMs: number;
}

export interface Load {
  /** In the order of the answers; status 0: the connection broke. */
  readonly answered: readonly Answered[];
  /** Sends no more; resolves when everything is answered. */
  stop(): Promise<void>;
  perSecond(): number;
}

/** An open loop: requests go out on time, however slow the answers are. */
export function startLoad({ url, port }: { readonly url: string; readonly port: number }, tokens: Tokens): Load {
  const connections = Array.from({ length: CONNECTIONS }, () => createConnection(port));
  const answered: Answered[] = [];
  const begunMs = performance.now();
  let [sent, owed, endedMs] = [0, 0, 0];
  const host = new URL(url).host;
  const timer = setInterval(() => {
    const due = ((performance.now() - begunMs) / 1000) * PER_SECOND;
    for (const connection of connections) {
      if (sent >= due) return;
      if (!connection.isFree()) continue;
      const { text, change } = requestOf(sent, host, tokens);
      const sentMs = Date.now();
      sent += 1;
      owed += 1;
      connection.send(text, (answer) => {
        owed -= 1;
        answered.push({ ...(answer ?? { status: 0, id: '', retryAfter: undefined }), change, sentMs, atMs: Date.now() });
      });
    }
  }, TICK_MS);
  return {
    answered,
    perSecond: () => Math.round(sent / (((endedMs === 0 ? performance.now() : endedMs) - begunMs) / 1000)),
    async stop() {
      clearInterval(timer);
      endedMs = performance.now();
      await waitFor(() => owed === 0, { what: 'the last answers', timeoutMs: 120_000 }).finally(() => {
        for (const connection of connections) connection.close();
      });
      await wait(0);
    },
  };
}

/** Of two hundred: 68 reads that cost Prefect little, 2 reads of its database, 2 changes, 1 with an unknown token; a viewer may not do the others, which do not reach Prefect. */
function requestOf(index: number, host: string, { readers, deployer }: Tokens): { readonly text: string; readonly change: boolean } {
  const kind = index % 200;
  const reader = readers[index % readers.length] ?? '';
  const send = (line: string, token: string) => `${line} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n`;
  const post = (path: string, token: string, body: unknown) => {
    const json = JSON.stringify(body);
    return `${send(`POST ${path}`, token)}Content-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
  };
  const change = kind % 100 === 5;
  if (kind === 7) return { change, text: `${send('GET /api/admin/version', `lct_${'0'.repeat(68)}`)}\r\n` };
  if (change) return { change, text: post('/api/flows/', deployer, { name: `load-${index % 50}` }) };
  if (kind % 100 === 55) return { change, text: post('/api/flow_runs/filter', reader, { limit: 1 }) };
  if (kind % 3 === 0) return { change, text: `${send('GET /api/admin/version', reader)}\r\n` };
  return { change, text: `${send('DELETE /api/flows/00000000-0000-4000-8000-000000000001', reader)}\r\n` };
}
