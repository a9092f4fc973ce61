// Ledger searches for the gateway's API, in a separate thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import type { AuditFilter } from '../query.ts';

/** One page: the caller gives its size. */
export type PageFilter = Omit<AuditFilter, 'follow'> & ({ readonly limit: number } | { readonly last: number });

export interface PageQuestion {
  /** Flow run and deployment by id or name. */
  readonly filter: PageFilter;
  /** The caller may see the names of Prefect's runs and deployments. By default a name is not found, and none is suggested. */
  readonly seesNames?: boolean;
  /** Left out: the caller sees every record. */
  readonly reader?: RecordReader | undefined;
}

export interface Page {
  readonly records: readonly LedgerRecord[];
  /** Set when the search stopped at its bound before the page was full: the last record that it has read. */
  readonly stoppedAt?: Pick<LedgerRecord, 'id' | 'time'>;
  /** Says which principal, run or deployment has no record at all. Null otherwise. */
  readonly unknown: string | null;
}

export interface LedgerSearch {
  /**
   * One page, oldest first. Throws LictorError `record-unknown` for an unknown `after`, `name-unknown` for a name, or `search-too-long`, `search-busy`,
   * `ledger-missing`. `covered`: by Prefect, for a `reader` with restrictions; without it, such a reader sees nothing.
   */
  page(question: PageQuestion, covered?: VisibleIds): Promise<Page>;
  close(): Promise<void>;
}

export interface SearchParts {
  readonly ledgerFile: string;
  /** Default: 20 s. */
  readonly atMostMs?: number;
}

/** What the thread asks during a search: which of these objects the reader sees. Null in the answer: Prefect did not say. */
export interface Asks {
  readonly number: number;
  readonly type: ResourceType;
  readonly ids: readonly string[];
}
export interface Covered {
  readonly number: number;
  readonly covered: readonly string[] | null;
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
  const ask = async (question: PageQuestion, covered: VisibleIds): Promise<Page> => {
    thread ??= new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: ledgerFile,
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    }).on('error', () => undefined);
    thread.unref();
    const found = await answerOf(thread, question, { covered, atMostMs });
    if (found === undefined) await end();
    if (found === undefined) throw new LictorError('search-too-long', 'The ledger was not searched to the end in time.');
    if (!found.ok) throw new LictorError(found.code, found.message);
    return found.page;
  };
  return {
    page(question, covered = NOTHING) {
      if (waiting >= MOST_WAITING) return Promise.reject(new LictorError('search-busy', 'Too many searches in the ledger wait.'));
      waiting += 1;
      const asked = last
        .then(() => ask(question, covered))
        .finally(() => {
          waiting -= 1;
        });
      last = asked.catch(() => undefined); // Each caller gets its own rejection.
      return asked;
    },
    close: end,
  };
}

const NOTHING: VisibleIds = async () => new Set();

interface Limits {
  readonly covered: VisibleIds;
  readonly atMostMs: number;
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, question: PageQuestion, { covered, atMostMs }: Limits): Promise<Found | undefined> {
  return new Promise((resolve) => {
    const done = (found?: Found): void => {
      clearTimeout(timer);
      thread.off('message', hear).off('exit', ended);
      resolve(found);
    };
    const hear = (message: Found | Asks): void => {
      if ('ok' in message) done(message);
      else void answerAsks(covered, message).then((answer) => thread.postMessage(answer));
    };
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', hear).on('exit', ended);
    thread.postMessage(question);
  });
}

async function answerAsks(covered: VisibleIds, { number, type, ids }: Asks): Promise<Covered> {
  try {
    return { number, covered: [...(await covered(type, ids))] };
  } catch {
    return { number, covered: null }; // Prefect does not answer: the thread ends the search.
  }
}
