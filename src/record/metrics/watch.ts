// What people that watch the gateway see of the ledger. The thread runs while they watch.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SteadyClock } from '../../contract/clock.ts';
import type { StoreAddress } from '../../contract/store-address.ts';
import { endThread } from '../end-thread.ts';
import type { Family } from './exposition.ts';
import type { Traffic } from './traffic.ts';

export interface ReaderFiles {
  readonly ledgerFile: string;
  readonly accessLog: string;
  readonly storeAt: StoreAddress;
}

export interface Watched {
  /** The counters begin when the thread begins. */
  readonly families: readonly Family[];
  /** Null: the ledger cannot be read now. */
  readonly traffic: Traffic | null;
}

export interface LedgerWatch {
  /** At most one reading at a time, and none within two seconds after another. */
  read(): Promise<Watched>;
  close(): Promise<void>;
}

const AGE_MS = 2_000;
const ANSWER_MS = 5_000;
const IDLE_MS = 60_000;
const NOTHING: Watched = { families: [], traffic: null };

export function createLedgerWatch(files: ReaderFiles, steady: SteadyClock): LedgerWatch {
  let thread: Worker | undefined;
  let reading: { readonly watched: Promise<Watched>; readonly atMs: number } | undefined;
  let idle: NodeJS.Timeout | undefined;
  const end = (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    return endThread(ending, 'close');
  };
  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url), { workerData: files, name: 'watch', resourceLimits: { maxOldGenerationSizeMb: 128 } });
    started
      .on('error', () => undefined)
      .on('exit', () => {
        if (thread === started) thread = undefined;
      });
    started.unref();
    return started;
  };
  return {
    read() {
      clearTimeout(idle);
      idle = setTimeout(end, IDLE_MS).unref();
      if (reading !== undefined && steady() - reading.atMs < AGE_MS) return reading.watched;
      thread ??= start();
      reading = { watched: ask(thread), atMs: steady() };
      return reading.watched;
    },
    async close() {
      clearTimeout(idle);
      await end();
    },
  };
}

async function ask(thread: Worker): Promise<Watched> {
  const answer = once(thread, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  thread.postMessage('watch');
  return answer.then(([watched]) => watched as Watched).catch(() => NOTHING); // Too late, or the thread has ended.
}
