// The thread of search.ts: one question after the other, each answered with a page.
import { parentPort, workerData } from 'node:worker_threads';
import { LictorError } from '../../contract/error.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { type LedgerReader, openLedgerReader } from '../query.ts';
import type { Found, PageFilter } from './search.ts';

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger is searched by a worker thread only.');
const file = String(workerData);
let reader: LedgerReader | undefined;
port.on('message', (filter: PageFilter) => {
  search(filter).then(
    (records): void => port.postMessage({ ok: true, records } satisfies Found),
    (error: unknown) => {
      reader?.close();
      reader = undefined;
      const { code, message } = error instanceof LictorError ? error : { code: 'ledger-unavailable', message: String(error) };
      port.postMessage({ ok: false, code, message } satisfies Found);
    },
  );
});

async function search(filter: PageFilter): Promise<readonly LedgerRecord[]> {
  reader ??= openLedgerReader(file);
  const records: LedgerRecord[] = [];
  for await (const record of reader.audit(filter)) records.push(record);
  return records;
}
