// Large bodies are scanned by a thread, one after the other, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import type { Scanned } from './scan.ts';
import type { ScanRequest } from './scan-thread.ts';
import { BODY_BOUNDS } from './strict-json.ts';

export interface Scanner {
  /** Throws when the thread gives no answer in time, or has died; the next scan begins another one. */
  scan(body: Buffer): Promise<Scanned>;
  close(): Promise<void>;
}

/** A scan of the largest body takes a fifth of a second. */
const AT_MOST_MS = 20_000;

/** The thread begins with the first body. */
export function createScanner(atMostMs = AT_MOST_MS): Scanner {
  let thread: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const begin = (): Worker => {
    const begun = new Worker(new URL('./scan-thread.ts', import.meta.url), { name: 'scan', resourceLimits: { maxOldGenerationSizeMb: 128 } });
    begun.on('error', () => undefined);
    begun.once('exit', () => {
      if (thread === begun) thread = undefined;
    });
    begun.unref();
    return begun;
  };
  const ask = async (body: Buffer): Promise<Scanned> => {
    thread ??= begin();
    const scanned = await answerOf(thread, body, atMostMs);
    if (scanned !== undefined) return scanned;
    await end();
    throw new Error('a body was not scanned to its end');
  };
  return {
    scan(body) {
      const asked = last.then(() => ask(body));
      last = asked.catch(() => undefined); // The caller has the error.
      return asked;
    },
    close: end,
  };
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, body: Buffer, atMostMs: number): Promise<Scanned | undefined> {
  return new Promise((resolve) => {
    const done = (scanned?: Scanned): void => {
      clearTimeout(timer);
      thread.off('message', done).off('exit', ended);
      resolve(scanned);
    };
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', done).on('exit', ended);
    const bytes = Uint8Array.from(body);
    thread.postMessage({ bytes, bounds: BODY_BOUNDS } satisfies ScanRequest, [bytes.buffer]);
  });
}
