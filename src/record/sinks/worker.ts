// The thread that sends records. Each sink has its own loop, so that no sink waits for another.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { LedgerExport } from '../../config/config.ts';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { SentChain } from '../../store/ledger-exports.ts';
import { type Cursor, readState, type SinkState, writeState } from './cursor.ts';
import { encoderOf, openSink } from './open-sink.ts';
import type { FromSending, SendingSetup, SinkStatus, ToSending } from './protocol.ts';
import { type PumpParts, runPump } from './pump.ts';
import { openSharedPositions } from './shared-positions.ts';
import { failureWords, type Sink } from './sink.ts';
import { BEGINNING, type Break, openSource, type Source } from './source.ts';

const STATUS_MS = 1_000;
const AGAIN_MS = 5_000;
/** How long a running delivery may take after the stop. */
const GRACE_MS = 1_000;

const port = parentPort;
if (port === null) throw new LictorError('not-a-worker', 'Records are sent by a worker thread only.');
// Sent by createExports only, so the shape is trusted.
const setup = workerData as SendingSetup;
const post = (message: FromSending): void => port.postMessage(message);
const stop = new AbortController();
const cut = new AbortController();
/** No sink of this node runs any longer. */
const ended = new AbortController();
const { node } = setup;
let { fence } = setup;

interface Running {
  readonly config: LedgerExport;
  state: SinkState | null;
  source: Source | undefined;
  stopped: string | null;
}

const sinks: readonly Running[] = setup.exports.map((config) => ({ config, state: null, source: undefined, stopped: null }));
const statusTimer = setInterval(reportStatus, STATUS_MS);
port.on('message', (message: ToSending) => {
  if (message.kind === 'close') return end();
  ({ fence } = message);
});
const shared = node === null ? null : await openSharedPositions({ storeAt: setup.storeAt, node, fence: () => fence, sendLost, onOvertaken: end });
// The positions of the last deliveries are stored too.
const sent = Promise.all(sinks.map(keepRunning)).then(() => ended.abort());
await Promise.all([sent, shared?.run(ended.signal)]);
clearInterval(statusTimer);
reportStatus();
port.close();

/** The control plane starts the thread again, if it did not ask for the end. */
function end(): void {
  stop.abort();
  setTimeout(() => cut.abort(), GRACE_MS).unref();
}

/** The ledger may be missing or fail: the loop starts again. */
async function keepRunning(running: Running): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      await run(running);
    } catch (error) {
      running.stopped = error instanceof LictorError ? error.message : failureWords(error);
      reportStatus();
      await waitFor(AGAIN_MS, stop.signal);
    }
  }
}

async function run(running: Running): Promise<void> {
  const { config } = running;
  const sink = await openSink(config, systemClock);
  const source = openSource(setup.ledgerFile, setup);
  running.source = source;
  try {
    running.stopped = null;
    await runPump(
      {
        ...partsOf(config, sink, source),
        begin: () => beginOf(config, source),
        repeatsBatches: config.type === 'webhook',
        load: () => ahead(readState(setup.directory, config.name), source, shared?.claimed.get(config.name)),
        save: (state) => writeState(setup.directory, config.name, state),
        onChange: (state) => {
          running.state = state;
          const seq = source.seqOf(state);
          if (seq !== undefined) shared?.note(config.name, seq);
        },
      },
      stop.signal,
      cut.signal,
    );
  } finally {
    source.close();
    running.source = undefined;
    await sink.close();
  }
}

/** What the pumps of the own chain and of another node's have alike. */
function partsOf(config: LedgerExport, sink: Sink, source: Source) {
  const onBreak = (broken: Break): void => post({ kind: 'break', name: config.name, broken });
  return { ...config, sink, source, encode: encoderOf(config), onBreak, clock: systemClock, random: Math.random, wait: waitFor };
}

/** Another node has sent records of this one while it was gone, or this ledger was lost and numbers its records anew. */
function ahead(state: SinkState | undefined, source: Source, seq: number | undefined): SinkState | undefined {
  if (state === undefined || seq === undefined || (source.seqOf(state) ?? 0) >= seq) return state;
  const cursor = source.cursorAt(seq);
  return cursor.n === 0 ? state : { ...state, ...cursor, event: 0, again: 0 };
}

/** From the copy of the chain in the ledger of this node. Its position is only in the store. */
async function sendLost({ sink: name, node: from, seq }: SentChain, save: (seq: number) => Promise<void>, signal: AbortSignal): Promise<void> {
  const config = setup.exports.find((one) => one.name === name);
  if (config === undefined) return;
  const source = openSource(setup.ledgerFile, { node: from });
  try {
    const cursor = source.cursorAt(seq);
    if (source.end().n <= cursor.n) return;
    post({ kind: 'lost', name, node: from });
    const sink = await openSink(config, systemClock);
    const done = new AbortController();
    let last = seq;
    const parts: PumpParts = {
      ...partsOf(config, sink, source),
      begin: () => cursor,
      repeatsBatches: false,
      load: () => undefined,
      save(state) {
        last = source.seqOf(state) ?? last;
        return save(last);
      },
      onChange: ({ n }) => n >= source.end().n && done.abort(),
    };
    await runPump(parts, AbortSignal.any([stop.signal, signal, done.signal]), cut.signal).finally(sink.close);
  } finally {
    source.close();
  }
}

function beginOf({ from }: LedgerExport, source: Source): Cursor {
  return from === 'start' ? BEGINNING : (setup.end ?? source.end());
}

function reportStatus(): void {
  post({ kind: 'status', sinks: sinks.map(statusOf) });
}

function statusOf({ config: { name, type }, state, source, stopped }: Running): SinkStatus {
  const lag = state === null || source === undefined ? { records: 0, oldest: null } : source.lag(state);
  return { name, type, state, lag: lag.records, oldest: lag.oldest, stopped };
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}
