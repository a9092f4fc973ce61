// The thread's side of question-thread.ts.
import type { MessagePort } from 'node:worker_threads';
import { LictorError } from './error.ts';
import type { FromThread, ToThread } from './question-thread.ts';

export interface QuestionPort<Question, Ask> {
  /** Asks the owner. Its answers are of this program. */
  ask(asked: Ask): Promise<unknown>;
  answerWith(answer: (question: Question) => Promise<unknown>, onFailure: OnFailure): void;
}

export interface OnFailure {
  /** Of an error that is no LictorError. */
  readonly code: string;
  /** Before the answer to the failed question. */
  readonly reset?: () => void;
}

/** Throws LictorError `not-a-worker`, with `unless` as its message, outside of a thread. */
export function openQuestionPort<Question, Ask>(port: MessagePort | null, unless: string): QuestionPort<Question, Ask> {
  if (port === null) throw new LictorError('not-a-worker', unless);
  const open = new Map<number, (value: unknown) => void>();
  let asked = 0;
  const post = (message: FromThread<Ask>): void => port.postMessage(message);
  return {
    ask(question) {
      asked += 1;
      const number = asked;
      const answer = new Promise((resolve) => open.set(number, resolve));
      post({ number, asked: question });
      return answer;
    },
    answerWith(answer, { code, reset }) {
      port.on('message', (message: ToThread<Question>) => {
        if ('number' in message) return settle(open, message);
        answer(message.question)
          .then((value) => post({ ok: true, value }))
          .catch((error: unknown) => {
            reset?.();
            const known = error instanceof LictorError ? error : { code, message: String(error) };
            post({ ok: false, code: known.code, message: known.message });
          });
      });
    },
  };
}

function settle(open: Map<number, (value: unknown) => void>, { number, value }: { readonly number: number; readonly value: unknown }): void {
  open.get(number)?.(value);
  open.delete(number);
}
