// The thread of review.ts: answers one question about rights after the other.
import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { openExplainer } from '../open.ts';
import { answerQuestion } from './answer.ts';
import type { Done, LookedUp, LookUp, Question, ReviewData } from './protocol.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Rights are reviewed by a worker thread only.');
// Given by review.ts alone.
const data = workerData as ReviewData;
/** The thread's own questions. */
const open = new Map<number, (answer: LookedUp) => void>();
let asked = 0;
let opened: Promise<Store> | undefined;

async function lookup(path: string, filter?: JsonValue): Promise<JsonValue | null> {
  asked += 1;
  const number = asked;
  const answer = await new Promise<LookedUp>((resolve) => {
    open.set(number, resolve);
    port?.postMessage({ number, path, filter } satisfies LookUp);
  });
  open.delete(number);
  if ('failed' in answer) throw new UpstreamError(answer.failed, { forwarded: false });
  return answer.found;
}

async function storeIfAny(): Promise<Store | undefined> {
  if (existsSync(data.storeFile)) opened ??= openStore({ file: data.storeFile, clock: systemClock });
  return opened;
}

async function store(): Promise<Store> {
  const found = await storeIfAny();
  if (found === undefined) throw new LictorError('gateway-unavailable', 'There is no store.');
  return found;
}

const explainer = openExplainer({ ...data, lookup, store, storeIfAny });
port.on('message', (message: Question | LookedUp) => {
  if ('number' in message) return open.get(message.number)?.(message);
  answerQuestion({ ...explainer, config: data.config, ledgerFile: data.ledgerFile }, message).then(
    (answer): void => port.postMessage({ ok: true, answer } satisfies Done),
    (error: unknown) => {
      const { code, message: text } = error instanceof LictorError ? error : { code: 'review-failed', message: String(error) };
      port.postMessage({ ok: false, code, message: text } satisfies Done);
    },
  );
});
