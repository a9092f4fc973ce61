// The thread of search.ts: answers one query after the other with a page.
import { parentPort, workerData } from 'node:worker_threads';
import { LictorError } from '../../../contract/error.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { type LedgerReader, openLedgerReader } from '../query.ts';
import { NO_NAMES, unknownWords, withIds } from './names.ts';
import type { Found, Page, PageQuestion } from './search.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger is searched by a worker thread only.');
const file = String(workerData);
let reader: LedgerReader | undefined;
port.on('message', (question: PageQuestion) => {
  search(question).then(
    (page): void => port.postMessage({ ok: true, page } satisfies Found),
    (error: unknown) => {
      reader?.close();
      reader = undefined;
      const { code, message } = error instanceof LictorError ? error : { code: 'ledger-unavailable', message: String(error) };
      port.postMessage({ ok: false, code, message } satisfies Found);
    },
  );
});

async function search({ filter, seesNames = false }: PageQuestion): Promise<Page> {
  reader ??= openLedgerReader(file);
  const names = seesNames ? reader.events : NO_NAMES;
  const byId = withIds(names, filter);
  const records: LedgerRecord[] = [];
  for await (const record of reader.audit(byId)) records.push(record);
  return { records, unknown: records.length > 0 ? null : ((await unknownWords({ reader, names }, byId)) ?? null) };
}
