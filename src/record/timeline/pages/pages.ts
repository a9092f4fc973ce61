// Timelines and recent runs for the gateway's API, from a thread with a time limit, so that no decision waits for one.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { noPrefect, type PrefectSource } from '../prefect-source.ts';
import type { TimelinePage } from './head.ts';
import type { TimelineQuestion } from './page.ts';
import type { Answer, Ask, Question, Reply } from './protocol.ts';
import type { RecentQuestion, RecentRuns } from './recent.ts';

export interface RunPages {
  /** Throws LictorError `run-unknown`, `name-unknown`, `search-too-long`, `search-busy` or `ledger-missing`. */
  timeline(question: TimelineQuestion, prefect: PrefectSource): Promise<TimelinePage>;
  recent(question: RecentQuestion): Promise<RecentRuns>;
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
/** Above this number of waiting questions, a caller must retry. */
const MOST_WAITING = 8;

/** The thread starts with the first question. */
export function createRunPages({ ledgerFile, atMostMs = AT_MOST_MS, prefectMs = PREFECT_MS }: PagesParts): RunPages {
  let thread: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const ask = async (question: Question, prefect: PrefectSource): Promise<TimelinePage | RecentRuns> => {
    thread ??= startThread(ledgerFile);
    const answer = await answerOf(thread, question, { prefect: within(prefect, prefectMs), atMostMs });
    if (answer === undefined) await end();
    if (answer === undefined) throw new LictorError('search-too-long', 'The ledger was not read to the end in time.');
    if (!answer.ok) throw new LictorError(answer.code, answer.message);
    return answer.value;
  };
  const queue = (question: Question, prefect: PrefectSource): Promise<TimelinePage | RecentRuns> => {
    if (waiting >= MOST_WAITING) return Promise.reject(new LictorError('search-busy', 'Too many readers of timelines wait.'));
    waiting += 1;
    const asked = last
      .then(() => ask(question, prefect))
      .finally(() => {
        waiting -= 1;
      });
    last = asked.catch(() => undefined); // Each caller gets its own rejection.
    return asked;
  };
  return {
    // The thread answers a question of a kind with a page of it.
    timeline: (question, prefect) => queue({ kind: 'timeline', question }, prefect) as Promise<TimelinePage>,
    recent: (question) => queue({ kind: 'recent', question }, noPrefect('not asked')) as Promise<RecentRuns>,
    close: end,
  };
}

function startThread(ledgerFile: string): Worker {
  const thread = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: ledgerFile,
    name: 'timelines',
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  }).on('error', () => undefined);
  thread.unref();
  return thread;
}

interface Bounds {
  readonly prefect: PrefectSource;
  readonly atMostMs: number;
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, question: Question, { prefect, atMostMs }: Bounds): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const done = (answer?: Answer): void => {
      clearTimeout(timer);
      thread.off('message', hear).off('exit', ended);
      resolve(answer);
    };
    const hear = (message: Answer | Ask): void => ('ok' in message ? done(message) : void reply(thread, message, prefect));
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', hear).on('exit', ended);
    thread.postMessage(question);
  });
}

async function reply(thread: Worker, { number, method, id }: Ask, prefect: PrefectSource): Promise<void> {
  thread.postMessage({ number, value: await prefect[method](id) } satisfies Reply);
}

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
