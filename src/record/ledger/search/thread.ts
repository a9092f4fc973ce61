// The thread of search.ts: answers one query after the other with a page.
import { parentPort, workerData } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import { type LedgerReader, openLedgerReader } from '../query.ts';
import { pageOf } from './page.ts';
import type { Asks, Covered, Found, Page, PageQuestion } from './search.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger is searched by a worker thread only.');
const file = String(workerData);
let reader: LedgerReader | undefined;
/** The thread's own questions during a search. */
const open = new Map<number, (answer: Covered) => void>();
let asked = 0;
port.on('message', (message: PageQuestion | Covered) => {
  if ('covered' in message) return open.get(message.number)?.(message);
  search(message).then(
    (page): void => port.postMessage({ ok: true, page } satisfies Found),
    (error: unknown) => {
      reader?.close();
      reader = undefined;
      const { code, message: text } = error instanceof LictorError ? error : { code: 'ledger-unavailable', message: String(error) };
      port.postMessage({ ok: false, code, message: text } satisfies Found);
    },
  );
});

async function search(question: PageQuestion): Promise<Page> {
  reader ??= openLedgerReader(file);
  return pageOf(reader, question, async (type, ids) => new Set(await ask({ type, ids })));
}

async function ask(asks: Omit<Asks, 'number'>): Promise<readonly string[]> {
  asked += 1;
  const number = asked;
  const { covered } = await new Promise<Covered>((resolve) => {
    open.set(number, resolve);
    port?.postMessage({ ...asks, number } satisfies Asks);
  });
  open.delete(number);
  if (covered === null) throw new LictorError('objects-unknown', 'Prefect does not say which objects are in the scope.');
  return covered;
}
