// The thread that reads the databases for metrics: at each request, and every few seconds, so that it is never far behind.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { Family } from './exposition.ts';
import { type LedgerReader, openLedgerReader } from './ledger-reader.ts';
import { createStoreGauges } from './store-gauges.ts';
import type { ReaderFiles, Watched } from './watch.ts';

const EVERY_MS = 5_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Metrics are read by a worker thread only.');
const files = workerData as ReaderFiles;
const store = createStoreGauges(files.storeAt);
let reader: LedgerReader | undefined;
let answered = Promise.resolve();
collect();
const timer = setInterval(collect, EVERY_MS);
port.on('message', (message: 'collect' | 'watch' | 'close') => {
  // One after the other: the answers have the order of the questions.
  answered = answered.then(() => answer(message));
});

async function answer(message: 'collect' | 'watch' | 'close'): Promise<void> {
  if (message === 'collect') return port?.postMessage(await families());
  if (message === 'watch') return port?.postMessage({ families: await families(), traffic: traffic() } satisfies Watched);
  clearInterval(timer);
  reader?.close();
  await store.close();
  port?.close();
}

async function families(): Promise<readonly Family[]> {
  const ofStore = await store.collect(systemClock());
  return [...collect(), ...ofStore];
}

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
    return reader.collect();
  } catch {
    reader?.close();
    reader = undefined;
    return [];
  }
}
