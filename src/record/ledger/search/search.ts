// Ledger searches for the gateway's API, in a separate thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import type { StatePaths } from '../../../config/state-dir.ts';
import { LictorError } from '../../../contract/error.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import type { Answers, Asks, Covered, Found, Page, PageQuestion, Question } from './questions.ts';

export interface LedgerSearch {
  /**
   * Throws LictorError `record-unknown` for an unknown record, `name-unknown` for a name, `objects-unknown` while Prefect does not answer, or
   * `search-too-long`, `search-busy`, `ledger-missing`. `covered`: by Prefect, for a `reader` with restrictions; without it, such a reader sees nothing.
   */
  ask<K extends keyof Answers>(question: Extract<Question, { kind: K }>, covered?: VisibleIds): Promise<Answers[K]>;
  page(question: PageQuestion, covered?: VisibleIds): Promise<Page>;
  close(): Promise<void>;
}

export interface SearchParts extends Pick<StatePaths, 'ledgerFile' | 'ledgerKey'> {
  /** Default: 20 s. */
  readonly atMostMs?: number;
  /** Above this number of waiting questions, a caller must retry. Default: 8. */
  readonly mostWaiting?: number;
}

const AT_MOST_MS = 20_000;
const MOST_WAITING = 8;

/** The thread starts with the first query. */
export function createLedgerSearch({ ledgerFile, ledgerKey, atMostMs = AT_MOST_MS, mostWaiting = MOST_WAITING }: SearchParts): LedgerSearch {
  let thread: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const ask = async (question: Question, covered: VisibleIds): Promise<unknown> => {
    thread ??= new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: { ledgerFile, ledgerKey },
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    }).on('error', () => undefined);
    thread.unref();
    const found = await answerOf(thread, question, { covered, atMostMs });
    if (found === undefined) await end();
    if (found === undefined) throw new LictorError('search-too-long', 'The ledger was not searched to the end in time.');
    if (!found.ok) throw new LictorError(found.code, found.message);
    return found.answer;
  };
  const askInTurn = (question: Question, covered: VisibleIds = NOTHING): Promise<unknown> => {
    if (waiting >= mostWaiting) return Promise.reject(new LictorError('search-busy', 'Too many searches in the ledger wait.'));
    waiting += 1;
    const asked = last
      .then(() => ask(question, covered))
      .finally(() => {
        waiting -= 1;
      });
    last = asked.catch(() => undefined); // Each caller gets its own rejection.
    return asked;
  };
  return {
    // The thread answers each kind of question with its kind of answer.
    ask: <K extends keyof Answers>(question: Extract<Question, { kind: K }>, covered?: VisibleIds) => askInTurn(question, covered) as Promise<Answers[K]>,
    page: (question, covered) => askInTurn({ kind: 'page', ...question }, covered) as Promise<Page>,
    close: end,
  };
}

const NOTHING: VisibleIds = async () => new Set();

interface Limits {
  readonly covered: VisibleIds;
  readonly atMostMs: number;
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, question: Question, { covered, atMostMs }: Limits): Promise<Found | undefined> {
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
