// The thread of search.ts: answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads';
import type { StatePaths } from '../../../config/state-dir.ts';
import { LictorError } from '../../../contract/error.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { chainState } from '../chain/chain-state.ts';
import { type LedgerReader, openLedgerReader } from '../query.ts';
import { changesAfter } from './changes.ts';
import { pageOf } from './page.ts';
import type { Answers, Asks, Covered, Found, Question } from './questions.ts';
import { createRecordFilter } from './record-filter.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger is searched by a worker thread only.');
const paths = workerData as Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;
let reader: LedgerReader | undefined;
/** The thread's own questions during a search. */
const open = new Map<number, (answer: Covered) => void>();
let asked = 0;

port.on('message', (message: Question | Covered) => {
  if ('covered' in message) return open.get(message.number)?.(message);
  answer(message).then(
    (found): void => port.postMessage({ ok: true, answer: found } satisfies Found),
    (error: unknown) => {
      reader?.close();
      reader = undefined;
      const { code, message: text } = error instanceof LictorError ? error : { code: 'ledger-unavailable', message: String(error) };
      port.postMessage({ ok: false, code, message: text } satisfies Found);
    },
  );
});

async function answer(question: Question): Promise<Answers[keyof Answers]> {
  reader ??= openLedgerReader(paths.ledgerFile);
  switch (question.kind) {
    case 'page':
      return pageOf(reader, question, covered);
    case 'changes':
      return changesAfter(reader, question, covered);
    case 'record': {
      const found = reader.record(question.id);
      const [visible] = found === undefined ? [] : await createRecordFilter(question.reader, covered).visible([found]);
      return visible ?? null;
    }
    case 'principals':
      return reader.principals();
    case 'chain':
      return chainState(paths);
  }
}

const covered: VisibleIds = async (type, ids) => {
  asked += 1;
  const number = asked;
  const { covered: found } = await new Promise<Covered>((resolve) => {
    open.set(number, resolve);
    port?.postMessage({ number, type, ids } satisfies Asks);
  });
  open.delete(number);
  if (found === null) throw new LictorError('objects-unknown', 'Prefect does not say which objects are in the scope.');
  return new Set(found);
};
