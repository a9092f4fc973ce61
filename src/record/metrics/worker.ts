// The thread that reads the databases for metrics: at each request, and every few seconds, so that it is never far behind.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { type LedgerReader, openLedgerReader, type ReaderFiles } from './ledger-reader.ts';
import type { Watched } from './watch.ts';

const EVERY_MS = 5_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Metrics are read by a worker thread only.');
const files = workerData as ReaderFiles;
let reader: LedgerReader | undefined;
collect();
const timer = setInterval(collect, EVERY_MS);
port.on('message', (message: 'collect' | 'watch' | 'close') => {
  if (message === 'collect') return port.postMessage(collect());
  if (message === 'watch') return port.postMessage({ families: collect(), traffic: traffic() } satisfies Watched);
  clearInterval(timer);
  reader?.close();
  port.close();
});

/** Null while the ledger cannot be read. */
function traffic() {
  try {
    return reader?.traffic(systemClock()) ?? null;
  } catch {
    return null;
  }
}

/** Empty while a database cannot be read: this scrape lacks these families. */
function collect() {
  try {
    reader ??= openLedgerReader(files);
    return reader.collect(systemClock());
  } catch {
    reader?.close();
    reader = undefined;
    return [];
  }
}
