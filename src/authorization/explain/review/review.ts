// Questions about rights for the gateway's API, in a thread with a time limit: a matrix takes thousands of decisions, and no request may wait for them.
import { Worker } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { renderStrict } from '../../../contract/json/strict-json.ts';
import { createQuestionThread } from '../../../contract/question-thread.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import type { Lookup } from '../../mediate/handler.ts';
import type { Answers, Kind, LookedUp, LookUp, Question, Questions, ReviewData } from './protocol.ts';

export interface AccessReview {
  /** Throws LictorError `usage` or `principal-unknown` for the question itself, `review-busy` and `review-too-long`. */
  ask<K extends Kind>(kind: K, question: Questions[K], principal: string): Promise<Answers[K]>;
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
const MOST_WAITING = 8;

/** The thread starts with the first question. */
export function createAccessReview({ data, lookup, atMostMs = AT_MOST_MS, idleMs = IDLE_MS }: ReviewParts): AccessReview {
  const thread = createQuestionThread<Question, LookUp>({
    start: () => new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, name: 'review', resourceLimits: { maxOldGenerationSizeMb: 256 } }),
    ...{ atMostMs, idleMs, mostWaiting: MOST_WAITING },
    busy: () => new LictorError('review-busy', 'Too many questions about rights wait.'),
    late: () => new LictorError('review-too-long', 'The rights were not reviewed in time: ask for less.'),
  });
  return {
    // The thread answers each kind of question with its kind of answer.
    ask: <K extends Kind>(kind: K, question: Questions[K], principal: string) =>
      thread.ask({ kind, ...question } as unknown as Question, (asked) => lookUp(lookup, asked), principal) as Promise<Answers[K]>,
    close: thread.close,
  };
}

async function lookUp(lookup: Lookup, { path, filter }: LookUp): Promise<LookedUp> {
  try {
    const found = await lookup(path, filter);
    return { found: found === null ? null : renderStrict(found) };
  } catch (error) {
    return { failed: error instanceof UpstreamError ? error.reason : 'upstream-unavailable' };
  }
}
