// Timelines and recent runs for the gateway's API, from a thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { createQuestionThread } from '../../../contract/question-thread.ts';
import { noPrefect, type PrefectSource } from '../prefect-source.ts';
import type { TimelinePage } from './head.ts';
import type { TimelineQuestion } from './page.ts';
import type { Ask, Question, Seen } from './protocol.ts';
import type { RecentQuestion, RecentRuns, Seeing } from './recent.ts';

export interface RunPages {
  /** Throws LictorError `run-unknown`, `name-unknown`, `search-too-long`, `search-busy` or `ledger-missing`. */
  timeline(question: TimelineQuestion, prefect: PrefectSource, principal: string): Promise<TimelinePage>;
  /** `seeing`: which runs a reader with limits sees; undefined: the reader sees every run. Throws `objects-unknown` too, while Prefect does not answer. */
  recent(question: RecentQuestion, principal: string, seeing?: Seeing): Promise<RecentRuns>;
  close(): Promise<void>;
}

export interface PagesParts {
  readonly ledgerFile: string;
  /** Default: 20 s. */
  readonly atMostMs?: number;
  /** For all questions to Prefect of one page. Default: 2 s. */
  readonly prefectMs?: number;
}

const AT_MOST_MS = 20_000;
const PREFECT_MS = 2_000;
const MOST_WAITING = 8;

/** The thread starts with the first question. */
export function createRunPages({ ledgerFile, atMostMs = AT_MOST_MS, prefectMs = PREFECT_MS }: PagesParts): RunPages {
  const thread = createQuestionThread<Question, Ask>({
    start: () =>
      new Worker(new URL('./thread.ts', import.meta.url), {
        workerData: ledgerFile,
        name: 'timelines',
        resourceLimits: { maxOldGenerationSizeMb: 256 },
      }),
    atMostMs,
    mostWaiting: MOST_WAITING,
    busy: () => new LictorError('search-busy', 'Too many readers of timelines wait.'),
    late: () => new LictorError('search-too-long', 'The ledger was not read to the end in time.'),
  });
  // The time begins with the first question to Prefect: this one may wait for others.
  const ask = (question: Question, principal: string, source: PrefectSource, seeing: Seeing = seesNone): Promise<unknown> => {
    let prefect: PrefectSource | undefined;
    const own = (asked: Ask): Promise<unknown> => {
      // A rejection would hold the thread until its time is over.
      if (asked.method === 'seen') return seeing(asked.ids).catch((): Seen => null);
      prefect ??= within(source, prefectMs);
      return prefect[asked.method](asked.id);
    };
    return thread.ask(question, own, principal);
  };
  return {
    // The thread answers a question of a kind with a page of it.
    timeline: (question, prefect, principal) => ask({ kind: 'timeline', question }, principal, prefect) as Promise<TimelinePage>,
    recent: (question, principal, seeing) =>
      ask({ kind: 'recent', question, limited: seeing !== undefined }, principal, noPrefect('not asked'), seeing) as Promise<RecentRuns>,
    close: thread.close,
  };
}

const seesNone: Seeing = async () => new Set();

/** After the time, Prefect counts as away. */
function within(prefect: PrefectSource, ms: number): PrefectSource {
  const away = noPrefect('Prefect did not answer in time');
  const over = AbortSignal.timeout(ms);
  const late = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
  const either = <T>(given: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> =>
    over.aborted ? otherwise() : Promise.race([given(), late.then(otherwise)]);
  return {
    run: (id) =>
      either(
        () => prefect.run(id),
        () => away.run(id),
      ),
    childrenOf: (id) =>
      either(
        () => prefect.childrenOf(id),
        () => away.childrenOf(id),
      ),
    flowRunOfTask: (id) =>
      either(
        () => prefect.flowRunOfTask(id),
        () => away.flowRunOfTask(id),
      ),
  };
}
