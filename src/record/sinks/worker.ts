// The thread that sends records. Each sink has its own loop, so that no sink waits for another.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { LedgerExport } from '../../config/config.ts';
import { systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { type Cursor, readState, type SinkState, writeState } from './cursor.ts';
import { encoderOf, openSink } from './open-sink.ts';
import type { FromSending, SendingSetup, SinkStatus } from './protocol.ts';
import { runPump } from './pump.ts';
import { failureWords } from './sink.ts';
import { BEGINNING, openSource, type Source } from './source.ts';

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

interface Running {
  readonly config: LedgerExport;
  state: SinkState | null;
  source: Source | undefined;
  stopped: string | null;
}

const sinks: readonly Running[] = setup.exports.map((config) => ({ config, state: null, source: undefined, stopped: null }));
const statusTimer = setInterval(reportStatus, STATUS_MS);
port.on('message', () => {
  stop.abort();
  setTimeout(() => cut.abort(), GRACE_MS).unref();
});
await Promise.all(sinks.map(keepRunning));
clearInterval(statusTimer);
reportStatus();
port.close();

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
        ...config,
        sink,
        source,
        begin: () => beginOf(config, source),
        repeatsBatches: config.type === 'webhook',
        encode: encoderOf(config),
        load: () => readState(setup.directory, config.name),
        save: (state) => writeState(setup.directory, config.name, state),
        onBreak: (broken) => post({ kind: 'break', name: config.name, broken }),
        onChange: (state) => {
          running.state = state;
        },
        clock: systemClock,
        random: Math.random,
        wait: waitFor,
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
