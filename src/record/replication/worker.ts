// The thread of replication: no decision and no record of this node waits for the store.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { steadyClock, systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { openStore } from '../../store/store.ts';
import { encodeBatch, type ForeignBatch } from '../ledger/chain/import.ts';
import { bringToDisk } from '../ledger/on-disk.ts';
import { openLocalLedger } from './local-ledger.ts';
import { createLoop, type Loop, NOT_OPEN, problemWords } from './loop.ts';
import type { FromReplication, ReplicationSetup, ToReplication } from './protocol.ts';

const LOOK_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const STATUS_MS = 1_000;
/** One connection for each direction. */
const CONNECTIONS = 2;
/** How long the last records may take after the stop. */
const GRACE_MS = 2_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Replication runs as a worker thread only.');
// Sent by startReplication only, so the shape is trusted.
const { ledgerFile, node, storeAt, ...setup } = workerData as ReplicationSetup;
const post = (message: FromReplication, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, [...transfer]);
const stop = new AbortController();
/** Batches that the ledger has not answered. */
const importing = new Map<number, (error: string | null) => void>();
let lastId = 0;
let loop: Loop | undefined;
let { fence } = setup;
let openProblem: string | null = null;

port.on('message', (message: ToReplication) => {
  if (message.kind === 'close') return stop.abort();
  if (message.kind === 'duty') {
    ({ fence } = message);
    return;
  }
  importing.get(message.id)?.(message.error);
  importing.delete(message.id);
});

const statusTimer = setInterval(report, STATUS_MS);
while (!stop.signal.aborted) {
  try {
    await run();
    openProblem = null;
  } catch (error) {
    openProblem = problemWords(error);
    report();
    await waitFor(LONGEST_PAUSE_MS);
  }
}
clearInterval(statusTimer);
report();
port.close();

/** Until the stop. Rejects if the store or the ledger cannot be opened. */
async function run(): Promise<void> {
  const ledger = openLocalLedger(ledgerFile);
  try {
    await using store = withEnd(await openStore({ at: storeAt, clock: systemClock, connections: CONNECTIONS }));
    const toDisk = () => bringToDisk(ledgerFile);
    const opened = createLoop({ node, ledger, shelf: store.ledgerShelf, importRows, toDisk, steady: steadyClock, fence: () => fence });
    [loop, openProblem] = [opened, null];
    await Promise.all([repeat(opened.ship), repeat(opened.pull)]);
    // The records of the stop itself.
    await Promise.race([opened.ship(), pause(GRACE_MS, undefined, { ref: false })]);
  } finally {
    ledger.close();
    loop = undefined;
  }
}

function withEnd<T extends { close(): Promise<void> }>(part: T): T & AsyncDisposable {
  return { ...part, [Symbol.asyncDispose]: () => part.close() };
}

async function repeat(work: () => Promise<boolean>): Promise<void> {
  let waitMs = LOOK_MS;
  while (!stop.signal.aborted) {
    waitMs = (await work()) ? LOOK_MS : Math.min(waitMs * 2, LONGEST_PAUSE_MS);
    await waitFor(waitMs);
  }
}

async function importRows(batch: ForeignBatch): Promise<void> {
  if (stop.signal.aborted) throw new LictorError('replication-stopped', 'The gateway stops.');
  lastId += 1;
  const id = lastId;
  const bytes = encodeBatch(batch);
  const error = await new Promise<string | null>((resolve) => {
    importing.set(id, resolve);
    post({ kind: 'import', id, batch: bytes }, [bytes.buffer]);
  });
  if (error !== null) throw new LictorError('replication-refused', error);
}

function report(): void {
  const status = loop?.status() ?? NOT_OPEN;
  post({ kind: 'status', status: { ...status, problem: openProblem ?? status.problem } });
}

async function waitFor(ms: number): Promise<void> {
  await pause(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}
