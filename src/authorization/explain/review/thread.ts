// The thread of review.ts: answers one question about rights after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { openQuestionPort } from '../../../contract/question-port.ts';
import { parseAnswer } from '../../../prefect/client/answer.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { createUseCounts } from '../../../record/ledger/allowed-uses.ts';
import { storeExists } from '../../../store/rows.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { openExplainer } from '../open.ts';
import { answerQuestion } from './answer.ts';
import type { LookedUp, LookUp, Question, ReviewData } from './protocol.ts';

const port = openQuestionPort<Question, LookUp>(parentPort, 'Rights are reviewed by a worker thread only.');
// Given by review.ts alone.
const data = workerData as ReviewData;
let opened: Promise<Store> | undefined;

async function lookup(path: string, filter?: JsonValue): Promise<JsonValue | null> {
  // review.ts answers so.
  const answer = (await port.ask({ path, filter })) as LookedUp;
  if ('failed' in answer) throw new UpstreamError(answer.failed, { forwarded: false });
  if (answer.found === null) return null;
  const parsed = parseAnswer({ body: Buffer.from(answer.found) });
  return parsed.ok ? parsed.tree : null;
}

async function storeIfAny(): Promise<Store | undefined> {
  if (storeExists(data.storeAt)) opened ??= openStore({ at: data.storeAt, clock: systemClock });
  return opened;
}

async function store(): Promise<Store> {
  const found = await storeIfAny();
  if (found === undefined) throw new LictorError('gateway-unavailable', 'There is no store.');
  return found;
}

const explainer = openExplainer({ ...data, lookup, store, storeIfAny });
const uses = createUseCounts(data.ledgerFile);
const parts = { ...explainer, config: data.config, ledgerFile: data.ledgerFile, uses };
port.answerWith((question) => answerQuestion(parts, question), { code: 'review-failed' });
