// The thread of pages.ts: answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { openQuestionPort } from '../../../contract/question-port.ts';
import { type LedgerReader, openLedgerReader } from '../../ledger/query.ts';
import type { PrefectSource } from '../prefect-source.ts';
import { timelinePage } from './page.ts';
import type { Ask, Question, Seen } from './protocol.ts';
import { recentRuns, type Seeing } from './recent.ts';

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

const seeing: Seeing = async (ids) => {
  const seen = (await port.ask({ method: 'seen', ids })) as Seen;
  if (seen === null) throw new LictorError('objects-unknown', 'Prefect does not answer, and so Lictor does not know which runs the reader sees.');
  return seen;
};

port.answerWith(
  async (asked) => {
    reader ??= openLedgerReader(file);
    return asked.kind === 'recent' ? recentRuns(reader, asked.question, asked.limited ? seeing : undefined) : timelinePage({ reader, prefect }, asked.question);
  },
  {
    code: 'ledger-unavailable',
    reset: () => {
      reader?.close();
      reader = undefined;
    },
  },
);
