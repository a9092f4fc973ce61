// 200 sockets through the load balancer that connect again when they close, as stock clients do.
import { setTimeout as wait } from 'node:timers/promises';
import { waitFor } from '../../env/process.ts';
import { authFrame, type OpenSocket, openSocket } from '../../env/socket.ts';
import type { Tokens } from './load.ts';

export const SOCKETS = 200;

export interface Sockets {
  open(): number;
  /** How often each close code was seen; `refused STATUS` for an upgrade that failed. */
  ends(): Readonly<Record<string, number>>;
  /** Epoch milliseconds when a socket was last opened again. */
  lastOpenedMs(): number;
  stop(): Promise<void>;
}

/** Prefect reads each event once for each subscriber: most sockets are those of workers and runs. */
const SUBSCRIBER_OF = 20;

/** Of no event of this test. */
const FILTER = { type: 'filter', filter: { event: { prefix: ['no.such.event'] } } };

/** Resolves when all are open. */
export async function openSockets(url: string, tokens: Pick<Tokens, 'readers' | 'worker'>): Promise<Sockets> {
  const ends: Record<string, number> = {};
  const current = new Map<number, OpenSocket>();
  const state = { ended: false, lastOpenedMs: 0 };
  const onAuthorised = (index: number, socket: OpenSocket): void => {
    if (state.ended) return void socket.close();
    current.set(index, socket);
    state.lastOpenedMs = Date.now();
  };
  const one = async (index: number): Promise<void> => {
    await wait(index * 20);
    while (!state.ended) {
      const isSubscriber = index % SUBSCRIBER_OF === 0;
      const name = await oneSocket({ url, isSubscriber, token: isSubscriber ? (tokens.readers[0] ?? '') : tokens.worker }, (socket) =>
        onAuthorised(index, socket),
      );
      current.delete(index);
      if (!state.ended) ends[name] = (ends[name] ?? 0) + 1;
      await wait(250 + Math.random() * 750);
    }
  };
  const all = Promise.all(Array.from({ length: SOCKETS }, (_, index) => one(index)));
  await waitFor(() => current.size === SOCKETS, { what: 'all sockets to be open', timeoutMs: 120_000 }).catch((error: unknown) => {
    state.ended = true;
    throw new Error(`${current.size} sockets are open; ends: ${JSON.stringify(ends)}`, { cause: error });
  });
  for (const name of Object.keys(ends)) delete ends[name];
  return {
    open: () => current.size,
    ends: () => ends,
    lastOpenedMs: () => state.lastOpenedMs,
    async stop() {
      state.ended = true;
      for (const socket of current.values()) socket.close();
      await all;
    },
  };
}

interface Place {
  readonly url: string;
  readonly token: string;
  readonly isSubscriber: boolean;
}

/** Resolves when it has ended, with the name of its end. */
async function oneSocket({ url, token, isSubscriber }: Place, onAuthorised: (socket: OpenSocket) => void): Promise<string> {
  const socket = openSocket(url, isSubscriber ? '/api/events/out' : '/api/events/in', { first: authFrame(token) });
  let isOver = false;
  const ended = socket.ended.finally(() => {
    isOver = true;
  });
  const isAuthorised = (): boolean => socket.frames().some((frame) => frame.includes('auth_success'));
  await waitFor(() => isAuthorised() || isOver, { what: 'a socket to be authorised', timeoutMs: 60_000, everyMs: 50 }).catch(() => socket.close());
  if (!isOver) {
    onAuthorised(socket);
    if (isSubscriber) socket.send(FILTER);
  }
  const { code, status } = await ended;
  return status === null ? String(code) : `refused ${status}`;
}
