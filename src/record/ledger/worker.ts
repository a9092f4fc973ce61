// The ledger's worker thread: messages and timers around the core. All SQLite work happens here.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createCore } from './core.ts';
import { LOOK_MS, readsOn } from './ingest-limiter.ts';
import type { Command, FetchedCommand, FromWorker, ToWorker, WorkerSetup } from './protocol.ts';

const TICK_MS = 1_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'The ledger worker runs as a worker thread only.');
const setup = workerData as WorkerSetup;
const post = (message: FromWorker) => port.postMessage(message);

const core = createCore({
  setup,
  routes: createCatalogue(),
  // A clock cannot cross the thread boundary. Tests that need another one use the core.
  clock: systemClock,
  onHealth: (healthy, detail) => post({ kind: 'health', healthy, detail }),
  onReopen: () => post({ kind: 'reopen' }),
  onCalls: (calls) => post({ kind: 'calls', calls }),
});
if (core.healthy()) post({ kind: 'health', healthy: true, detail: 'open' });

type Waiting<C extends Command = Command> = { readonly id: number; readonly command: C };
let waiting: Waiting[] = [];
const fetched: Waiting<FetchedCommand>[] = [];
let pumping: NodeJS.Immediate | undefined;
/** Of this look. */
let batches = 0;

// One transaction takes all commands that arrived during the one before: one fsync for all of them.
port.on('message', (message: ToWorker) => {
  if (message.kind === 'close') return close();
  if (message.command.kind === 'events' || message.command.kind === 'import') {
    fetched.push({ id: message.id, command: message.command });
    setImmediate(takeFetched);
    return;
  }
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

/** One batch. While commands wait, the next look takes it. */
function takeFetched(): void {
  const next = waiting.length === 0 ? fetched.shift() : undefined;
  if (next === undefined) return;
  post({ kind: 'outcomes', outcomes: [{ id: next.id, outcome: core.store(next.command) }] });
}

/** Commands that wait come first, so that they wait for one batch at most. */
function pump(): void {
  pumping = undefined;
  runWaiting();
  batches += 1;
  if (core.pump() && readsOn(batches, core.lagMs())) pumping = setImmediate(pump);
}

// A reaction to each change of the file would be a wake-up for every line of a flood.
const looks = setInterval(() => {
  core.sync();
  takeFetched();
  if (pumping !== undefined) return;
  batches = 0;
  pumping = setImmediate(pump);
}, LOOK_MS);
const ticks = setInterval(() => core.tick(), TICK_MS);
pumping = setImmediate(pump);

function close(): void {
  runWaiting();
  takeFetched();
  clearInterval(looks);
  clearInterval(ticks);
  clearImmediate(pumping);
  core.close();
  port?.close();
}
