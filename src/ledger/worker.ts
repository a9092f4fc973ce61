// The ledger's worker thread: messages, timers and file events around the core. All SQLite work happens here.
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createCatalogue } from '../catalog/catalogue.ts';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import { createCore } from './core.ts';
import type { Command, FromWorker, ToWorker, WorkerSetup } from './protocol.ts';

/** A change of a log starts a batch after this, so that a busy log makes few large transactions and a record is at most a second away. */
const BATCH_MS = 200;
/**
 * With more to read, the thread rests this many times as long as the batch took: a flood of requests leaves the cores to those who
 * answer them. What is not read yet waits in the access log. It still takes thousands of lines a second, more than Prefect answers.
 */
const REST = 2;
/** File events may be lost or missing (network file systems): the logs are looked at anyway. */
const POLL_MS = 1_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger worker runs as a worker thread only.');
// Sent by startLedger only, so the shape is trusted.
const setup = workerData as WorkerSetup;
const post = (message: FromWorker) => port.postMessage(message);

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
    const startedMs = performance.now();
    if (core.pump()) pumpSoon(REST * (performance.now() - startedMs));
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

function close(): void {
  runWaiting();
  clearInterval(poll);
  clearTimeout(batchTimer);
  watcher?.close();
  core.close();
  port?.close();
}
