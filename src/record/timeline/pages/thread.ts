// The thread of pages.ts: answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { type LedgerReader, openLedgerReader } from '../../ledger/query.ts';
import type { PrefectSource } from '../prefect-source.ts';
import { timelinePage } from './page.ts';
import type { Answer, Ask, Question, Reply } from './protocol.ts';
import { recentRuns } from './recent.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Timelines are read by a worker thread only.');
const file = String(workerData);
let reader: LedgerReader | undefined;
const waiting = new Map<number, (value: unknown) => void>();
let asked = 0;
port.on('message', (message: Question | Reply) => {
  if ('number' in message) return settle(message);
  answer(message).then(
    (value): void => port.postMessage({ ok: true, value } satisfies Answer),
    (error: unknown) => {
      reader?.close();
      reader = undefined;
      const { code, message: text } = error instanceof LictorError ? error : { code: 'ledger-unavailable', message: String(error) };
      port.postMessage({ ok: false, code, message: text } satisfies Answer);
    },
  );
});

function settle({ number, value }: Reply): void {
  waiting.get(number)?.(value);
  waiting.delete(number);
}

async function answer({ kind, question }: Question) {
  reader ??= openLedgerReader(file);
  return kind === 'recent' ? recentRuns(reader, question) : timelinePage({ reader, prefect }, question);
}

const prefect: PrefectSource = {
  run: (id) => ask('run', id),
  childrenOf: (id) => ask('childrenOf', id),
  flowRunOfTask: (id) => ask('flowRunOfTask', id),
};

/** The owner answers with what the method returns. */
function ask<M extends keyof PrefectSource>(method: M, id: string): ReturnType<PrefectSource[M]> {
  asked += 1;
  const number = asked;
  const reply = new Promise((resolve) => waiting.set(number, resolve));
  port?.postMessage({ number, method, id } satisfies Ask);
  return reply as ReturnType<PrefectSource[M]>;
}
