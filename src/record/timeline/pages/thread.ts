// The thread of pages.ts: answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { openQuestionPort } from '../../../contract/question-port.ts';
import { type LedgerReader, openLedgerReader } from '../../ledger/query.ts';
import type { PrefectSource } from '../prefect-source.ts';
import { timelinePage } from './page.ts';
import type { Ask, Question } from './protocol.ts';
import { recentRuns } from './recent.ts';

const port = openQuestionPort<Question, Ask>(parentPort, 'Timelines are read by a worker thread only.');
const file = String(workerData);
let reader: LedgerReader | undefined;

const prefect: PrefectSource = {
  run: (id) => ask('run', id),
  childrenOf: (id) => ask('childrenOf', id),
  flowRunOfTask: (id) => ask('flowRunOfTask', id),
};

/** The owner answers with what the method returns. */
function ask<M extends keyof PrefectSource>(method: M, id: string): ReturnType<PrefectSource[M]> {
  return port.ask({ method, id }) as ReturnType<PrefectSource[M]>;
}

port.answerWith(
  async ({ kind, question }) => {
    reader ??= openLedgerReader(file);
    return kind === 'recent' ? recentRuns(reader, question) : timelinePage({ reader, prefect }, question);
  },
  {
    code: 'ledger-unavailable',
    reset: () => {
      reader?.close();
      reader = undefined;
    },
  },
);
