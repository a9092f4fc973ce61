// The ledger's worker thread: messages, timers and file events around the core. All SQLite work happens here.
import { type FSWatcher, readlinkSync, watch } from 'node:fs';
import { setPriority } from 'node:os';
import { basename, dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createCatalogue } from '../catalog/catalogue.ts';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import { createCore } from './core.ts';
import type { Command, FromWorker, ToWorker, WorkerSetup } from './protocol.ts';

/** A change of a log starts a batch after this, so that a busy log makes few large transactions and a record is at most a second away. */
const BATCH_MS = 200;
/**
 * Under a flood of requests the cores go to those who answer them first: what is not read yet waits in the access log. Niceness,
 * not pauses: on a machine with time to spare the thread takes all it needs.
 */
const NICENESS = 5;
/** File events may be lost or missing (network file systems): the logs are looked at anyway. */
const POLL_MS = 1_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger worker runs as a worker thread only.');
// Sent by startLedger only, so the shape is trusted.
const setup = workerData as WorkerSetup;
const post = (message: FromWorker) => port.postMessage(message);

yieldToOthers();
const core = createCore({
  setup,
  routes: createCatalogue(),
  // A clock cannot be handed to a thread; the tests that need one use the core.
  clock: systemClock,
  onHealth: (healthy, detail) => post({ kind: 'health', healthy, detail }),
  onReopen: () => post({ kind: 'reopen' }),
});
if (core.healthy()) post({ kind: 'health', healthy: true, detail: 'open' });

let waiting: { readonly id: number; readonly command: Command }[] = [];
let batchTimer: NodeJS.Timeout | undefined;

// Commands that arrive while a transaction runs are taken together by the next one: one fsync for all of them.
port.on('message', (message: ToWorker) => {
  if (message.kind === 'close') return close();
  waiting.push({ id: message.id, command: message.command });
  if (waiting.length === 1) setImmediate(runWaiting);
});

function runWaiting(): void {
  const group = waiting;
  waiting = [];
  if (group.length === 0) return;
  const outcomes = core.run(group.map(({ command }) => command));
  post({ kind: 'outcomes', outcomes: group.map(({ id }, index) => ({ id, outcome: outcomes[index] ?? null })) });
}

function pumpSoon(delayMs: number): void {
  batchTimer ??= setTimeout(() => {
    batchTimer = undefined;
    if (core.pump()) pumpSoon(0);
  }, delayMs);
}

const poll = setInterval(() => {
  core.tick();
  pumpSoon(0);
}, POLL_MS);
const watcher = watchLogs();
pumpSoon(0);

function watchLogs(): FSWatcher | undefined {
  try {
    // The folder, not the files: they may not be there yet, and may be replaced.
    const logs = watch(dirname(setup.accessLog), () => pumpSoon(BATCH_MS));
    logs.on('error', () => logs.close());
    return logs;
  } catch {
    return undefined; // No folder or no file events: the poll sees it.
  }
}

/** Linux schedules threads, and takes a thread's id here. Elsewhere, or forbidden: everything works, with less politeness. */
function yieldToOthers(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
  } catch {
    // no /proc, or not allowed
  }
}

function close(): void {
  runWaiting();
  clearInterval(poll);
  clearTimeout(batchTimer);
  watcher?.close();
  core.close();
  port?.close();
}
