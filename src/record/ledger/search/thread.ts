// The thread of search.ts: answers one question after the other.
import { parentPort, workerData } from 'node:worker_threads';
import type { StatePaths } from '../../../config/state-dir.ts';
import { LictorError } from '../../../contract/error.ts';
import { openQuestionPort } from '../../../contract/question-port.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { chainState } from '../chain/chain-state.ts';
import { type LedgerReader, openLedgerReader } from '../query.ts';
import { changesAfter } from './changes.ts';
import { pageOf } from './page.ts';
import type { Answers, Asks, Covered, Question } from './questions.ts';
import { createRecordFilter } from './record-filter.ts';

const port = openQuestionPort<Question, Asks>(parentPort, 'The ledger is searched by a worker thread only.');
const paths = workerData as Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;
let reader: LedgerReader | undefined;
port.answerWith(answer, {
  code: 'ledger-unavailable',
  reset: () => {
    reader?.close();
    reader = undefined;
  },
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

async function covered(...[type, ids]: Parameters<VisibleIds>): ReturnType<VisibleIds> {
  // search.ts answers so.
  const found = (await port.ask({ type, ids })) as Covered;
  if (found === null) throw new LictorError('objects-unknown', 'Prefect does not say which objects are in the scope.');
  return new Set(found);
}
