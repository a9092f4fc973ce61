// Questions about rights for the gateway's API, in a thread with a time limit: a matrix takes thousands of decisions, and no request may wait for them.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import type { Lookup } from '../../mediate/handler.ts';
import type { Answers, Done, Kind, LookedUp, LookUp, Question, Questions, ReviewData } from './protocol.ts';

export interface AccessReview {
  /** Throws LictorError `usage` or `principal-unknown` for the question itself, `review-busy` and `review-too-long`. */
  ask<K extends Kind>(kind: K, question: Questions[K]): Promise<Answers[K]>;
  close(): Promise<void>;
}

export interface ReviewParts {
  readonly data: ReviewData;
  readonly lookup: Lookup;
  /** Default: 20 s. */
  readonly atMostMs?: number;
  /** Default: 5 minutes. The next question starts another thread. */
  readonly idleMs?: number;
}

const AT_MOST_MS = 20_000;
const IDLE_MS = 300_000;
/** Above this number of waiting questions, a caller must retry. */
const MOST_WAITING = 8;

/** The thread starts with the first question. */
export function createAccessReview({ data, lookup, atMostMs = AT_MOST_MS, idleMs = IDLE_MS }: ReviewParts): AccessReview {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const ask = async (question: Question): Promise<unknown> => {
    clearTimeout(idle);
    thread ??= new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: data,
      name: 'review',
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    }).on('error', () => undefined);
    thread.unref();
    const done = await answerOf(thread, question, { lookup, atMostMs });
    if (done === undefined) await end();
    if (done === undefined) throw new LictorError('review-too-long', 'The rights were not reviewed in time: ask for less.');
    idle = setTimeout(() => void end(), idleMs).unref();
    if (!done.ok) throw new LictorError(done.code, done.message);
    return done.answer;
  };
  return {
    ask<K extends Kind>(kind: K, question: Questions[K]) {
      if (waiting >= MOST_WAITING) return Promise.reject(new LictorError('review-busy', 'Too many questions about rights wait.'));
      waiting += 1;
      const asked = last
        .then(() => ask({ kind, ...question } as unknown as Question))
        .finally(() => {
          waiting -= 1;
        });
      last = asked.catch(() => undefined); // Each caller gets its own rejection.
      // The thread answers each kind of question with its kind of answer.
      return asked as Promise<Answers[K]>;
    },
    close: end,
  };
}

interface Limits {
  readonly lookup: Lookup;
  readonly atMostMs: number;
}

/** Undefined: no answer in time, or the thread has ended. */
function answerOf(thread: Worker, question: Question, { lookup, atMostMs }: Limits): Promise<Done | undefined> {
  return new Promise((resolve) => {
    const done = (answer?: Done): void => {
      clearTimeout(timer);
      thread.off('message', hear).off('exit', ended);
      resolve(answer);
    };
    const hear = (message: Done | LookUp): void => {
      if ('ok' in message) done(message);
      else void lookUp(lookup, message).then((answer) => thread.postMessage(answer));
    };
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', hear).on('exit', ended);
    thread.postMessage(question);
  });
}

async function lookUp(lookup: Lookup, { number, path, filter }: LookUp): Promise<LookedUp> {
  try {
    return { number, found: await lookup(path, filter) };
  } catch (error) {
    return { number, failed: error instanceof UpstreamError ? error.reason : 'upstream-unavailable' };
  }
}
