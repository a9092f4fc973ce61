// Ledger searches for the gateway's API, in a separate thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import type { StatePaths } from '../../../config/state-dir.ts';
import { LictorError } from '../../../contract/error.ts';
import { createQuestionThread } from '../../../contract/question-thread.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import type { Answers, Asks, Covered, Page, PageQuestion, Question } from './questions.ts';

export interface Asker {
  /** The id of the principal: those who wait get their turn one after the other. */
  readonly principal: string;
  /** By Prefect, for a `reader` with restrictions; without it, such a reader sees nothing. */
  readonly covered?: VisibleIds;
}

export interface LedgerSearch {
  /**
   * Throws LictorError `record-unknown` for an unknown record, `name-unknown` for a name, `objects-unknown` while Prefect does not answer, or
   * `search-too-long`, `search-busy`, `ledger-missing`.
   */
  ask<K extends keyof Answers>(question: Extract<Question, { kind: K }>, asker: Asker): Promise<Answers[K]>;
  page(question: PageQuestion, asker: Asker): Promise<Page>;
  close(): Promise<void>;
}

export interface SearchParts extends Pick<StatePaths, 'ledgerFile' | 'ledgerKey'> {
  /** Default: 20 s. */
  readonly atMostMs?: number;
  /** Default: 8. */
  readonly mostWaiting?: number;
}

const AT_MOST_MS = 20_000;
const MOST_WAITING = 8;

/** The thread starts with the first query. */
export function createLedgerSearch({ ledgerFile, ledgerKey, atMostMs = AT_MOST_MS, mostWaiting = MOST_WAITING }: SearchParts): LedgerSearch {
  const thread = createQuestionThread<Question, Asks>({
    start: () =>
      new Worker(new URL('./thread.ts', import.meta.url), {
        workerData: { ledgerFile, ledgerKey },
        name: 'search',
        resourceLimits: { maxOldGenerationSizeMb: 128 },
      }),
    atMostMs,
    mostWaiting,
    busy: () => new LictorError('search-busy', 'Too many searches in the ledger wait.'),
    late: () => new LictorError('search-too-long', 'The ledger was not searched to the end in time.'),
  });
  const ask = (question: Question, { principal, covered = NOTHING }: Asker): Promise<unknown> =>
    thread.ask(question, (asks) => answerAsks(covered, asks), principal);
  return {
    // The thread answers each kind of question with its kind of answer.
    ask: <K extends keyof Answers>(question: Extract<Question, { kind: K }>, asker: Asker) => ask(question, asker) as Promise<Answers[K]>,
    page: (question, asker) => ask({ kind: 'page', ...question }, asker) as Promise<Page>,
    close: thread.close,
  };
}

const NOTHING: VisibleIds = async () => new Set();

async function answerAsks(covered: VisibleIds, { type, ids }: Asks): Promise<Covered> {
  try {
    return [...(await covered(type, ids))];
  } catch {
    return null; // Prefect does not answer: the thread ends the search.
  }
}
