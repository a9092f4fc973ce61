// Ledger searches for the gateway's API, in a separate thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { AuditFilter } from '../query.ts';

/** One page: the caller gives its size. */
export type PageFilter = Omit<AuditFilter, 'follow'> & ({ readonly limit: number } | { readonly last: number });

export interface PageQuestion {
  /** Flow run and deployment by id or name. */
  readonly filter: PageFilter;
  /** The caller may see the names of Prefect's runs and deployments. By default a name is not found, and none is suggested. */
  readonly seesNames?: boolean;
}

export interface Page {
  readonly records: readonly LedgerRecord[];
  /** Says which principal, run or deployment has no record at all. Null otherwise. */
  readonly unknown: string | null;
}

export interface LedgerSearch {
  /**
   * One page, oldest first. Throws LictorError `record-unknown` for an unknown `after`, `name-unknown` for a name, or `search-too-long`, `search-busy`,
   * `ledger-missing`.
   */
  page(question: PageQuestion): Promise<Page>;
  close(): Promise<void>;
}

export interface SearchParts {
  readonly ledgerFile: string;
  /** Default: 20 s. */
  readonly atMostMs?: number;
}

/** The thread's answer. */
export type Found = { readonly ok: true; readonly page: Page } | { readonly ok: false; readonly code: string; readonly message: string };

const AT_MOST_MS = 20_000;
/** Above this number of waiting queries, a caller must retry. */
const MOST_WAITING = 8;

/** The thread starts with the first query. */
export function createLedgerSearch({ ledgerFile, atMostMs = AT_MOST_MS }: SearchParts): LedgerSearch {
  let thread: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const ask = async (question: PageQuestion): Promise<Page> => {
    thread ??= new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: ledgerFile,
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    }).on('error', () => undefined);
    thread.unref();
    const found = await answerOf(thread, question, atMostMs);
    if (found === undefined) await end();
    if (found === undefined) throw new LictorError('search-too-long', 'The ledger was not searched to the end in time.');
    if (!found.ok) throw new LictorError(found.code, found.message);
    return found.page;
  };
  return {
    page(question) {
      if (waiting >= MOST_WAITING) return Promise.reject(new LictorError('search-busy', 'Too many searches in the ledger wait.'));
      waiting += 1;
      const asked = last
        .then(() => ask(question))
        .finally(() => {
          waiting -= 1;
        });
      last = asked.catch(() => undefined); // Each caller gets its own rejection.
      return asked;
    },
    close: end,
  };
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, question: PageQuestion, atMostMs: number): Promise<Found | undefined> {
  return new Promise((resolve) => {
    const done = (found?: Found): void => {
      clearTimeout(timer);
      thread.off('message', done).off('exit', ended);
      resolve(found);
    };
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', done).on('exit', ended);
    thread.postMessage(question);
  });
}
