// A thread that answers one question after the other, each within a time, and may ask its owner meanwhile. The thread's side: question-port.ts.
import type { Worker } from 'node:worker_threads';
import { LictorError } from './error.ts';
import { createFairLine } from './fair-line.ts';

/** What the thread sends: its answer, or a question to its owner. */
export type FromThread<Ask> =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string }
  | { readonly number: number; readonly asked: Ask };

/** What the owner sends: a question, or what the thread asked for. */
export type ToThread<Question> = { readonly question: Question } | { readonly number: number; readonly value: unknown };

export interface QuestionThread<Question, Ask> {
  /**
   * Throws the LictorError of the thread, or `busy` or `late`. `own` answers the thread; if it rejects, the question runs into its time limit.
   * `principal`: who asks. The principals that wait get their turn one after the other.
   */
  ask(question: Question, own: (asked: Ask) => Promise<unknown>, principal: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface QuestionThreadParts {
  /** With the first question, and with the next one after the thread has ended. */
  readonly start: () => Worker;
  readonly atMostMs: number;
  /** Ends a thread that nothing was asked for so long. Left out: it stays. */
  readonly idleMs?: number;
  /** Above this number of waiting questions, who has the most of them must retry. */
  readonly mostWaiting: number;
  readonly busy: () => LictorError;
  readonly late: () => LictorError;
}

export function createQuestionThread<Question, Ask>({ start, atMostMs, idleMs, mostWaiting, busy, late }: QuestionThreadParts): QuestionThread<Question, Ask> {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  const line = createFairLine({ atOnce: 1, waiting: mostWaiting });
  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const begin = (): Worker => {
    const begun = start().on('error', () => undefined);
    begun.unref();
    return begun;
  };
  const askNow = async (question: Question, own: (asked: Ask) => Promise<unknown>): Promise<unknown> => {
    clearTimeout(idle);
    thread ??= begin();
    const answer = await answerOf(thread, question, { own, atMostMs });
    if (answer === undefined) await end();
    if (answer === undefined) throw late();
    if (idleMs !== undefined) idle = setTimeout(() => void end(), idleMs).unref();
    if (!answer.ok) throw new LictorError(answer.code, answer.message);
    return answer.value;
  };
  return {
    async ask(question, own, principal) {
      const answer = await line.run({ from: principal }, async () => ({ value: await askNow(question, own) }));
      if (answer === 'busy') throw busy();
      return answer.value;
    },
    close: end,
  };
}

interface Limits<Ask> {
  readonly own: (asked: Ask) => Promise<unknown>;
  readonly atMostMs: number;
}

type Answer = Exclude<FromThread<never>, { readonly asked: never }>;

/** Undefined: no answer in time, or the thread has ended. */
function answerOf<Question, Ask>(thread: Worker, question: Question, { own, atMostMs }: Limits<Ask>): Promise<Answer | undefined> {
  const post = (message: ToThread<Question>): void => thread.postMessage(message);
  return new Promise((resolve) => {
    const done = (answer?: Answer): void => {
      clearTimeout(timer);
      thread.off('message', hear).off('exit', ended);
      resolve(answer);
    };
    const hear = (message: FromThread<Ask>): void => {
      if ('ok' in message) done(message);
      else
        own(message.asked)
          .then((value) => post({ number: message.number, value }))
          .catch(() => undefined); // Also for a value that no thread can get: it must not end the process.
    };
    const ended = (): void => done();
    const timer = setTimeout(done, atMostMs);
    thread.on('message', hear).on('exit', ended);
    post({ question });
  });
}
