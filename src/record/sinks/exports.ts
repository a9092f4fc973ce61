// The control plane's side of the thread that sends records: no receiver can make the gateway wait.
import { Worker } from 'node:worker_threads';
import type { LedgerExport } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { StoreAddress } from '../../contract/store-address.ts';
import type { BeginWork } from '../../store/coordination.ts';
import { endThread } from '../end-thread.ts';
import type { Cursor } from './cursor.ts';
import type { FromSending, SendingSetup, SinkStatus, ToSending } from './protocol.ts';
import { type Break, openSource } from './source.ts';

export const EXPORT_GAP_ACTION = 'ledger.export_gap';

export interface Exports {
  /** Applies a list of sinks. Resolves when the former ones have stopped. A sink that stays continues from its position. */
  use(exports: readonly LedgerExport[]): Promise<void>;
  /** Updated once a second. */
  status(): readonly SinkStatus[];
  /** The work of the duty `exports`: sends the records of nodes that are gone. */
  readonly sendLost: BeginWork;
  close(): Promise<void>;
}

export interface ExportsParts {
  readonly paths: Pick<StatePaths, 'ledgerFile' | 'exports'>;
  /** Of several nodes, each sends its own records. Null: all records. */
  readonly node: string | null;
  readonly storeAt: StoreAddress;
  readonly clock: Clock;
  readonly log: Readonly<Record<'info' | 'warn' | 'error', (fields: object, text: string) => void>>;
  readonly record: (record: NewRecord) => Promise<void>;
}

const AGAIN_MS = 1_000;
/** A batch of a sink is at most some MiB. Above this limit the thread restarts. */
const MOST_MIB = 128;

export function createExports({ paths, node, storeAt, clock, log, record }: ExportsParts): Exports {
  let current: readonly LedgerExport[] = [];
  let end: Cursor | null = null;
  let worker: Worker | undefined;
  let fence: number | null = null;
  let status: readonly SinkStatus[] = [];
  let turn: Promise<void> = Promise.resolve();

  function spawn(): void {
    const setup: SendingSetup = { ledgerFile: paths.ledgerFile, node, storeAt, fence, directory: paths.exports, exports: current, end };
    const thread = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: setup,
      name: 'exports',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MIB },
    });
    worker = thread;
    thread.on('message', (message: FromSending) => onMessage(message));
    thread.on('error', (error) => log.error({ err: error }, 'the thread that sends records failed'));
    thread.on('exit', () => {
      if (worker !== thread) return;
      setTimeout(() => {
        if (worker === thread) spawn();
      }, AGAIN_MS).unref();
    });
  }

  function onMessage(message: FromSending): void {
    if (message.kind === 'status') {
      for (const next of message.sinks)
        reportChange(
          log,
          status.find(({ name }) => name === next.name),
          next,
        );
      status = message.sinks;
      return;
    }
    if (message.kind === 'lost') {
      log.info({ sink: message.name, node: message.node }, 'the records of a node that is gone are sent from here');
      return;
    }
    const { name, broken } = message;
    log.warn({ sink: name, ...broken }, breakWords(broken));
    record(breakRecord(name, broken, clock())).catch((error: unknown) => log.error({ err: error }, 'what a sink missed could not be recorded'));
  }

  async function stop(): Promise<void> {
    const thread = worker;
    worker = undefined;
    await endThread(thread, { kind: 'close' } satisfies ToSending);
  }

  function setFence(next: number | null): void {
    fence = next;
    worker?.postMessage({ kind: 'duty', fence } satisfies ToSending);
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    turn = turn.then(work, work);
    return turn;
  }

  return {
    use: (exports) =>
      inTurn(async () => {
        if (JSON.stringify(exports) === JSON.stringify(current)) return;
        // Read before the thread starts: a new sink gets every record from here on.
        end = endOf(paths.ledgerFile, node);
        await stop();
        current = exports;
        status = [];
        if (exports.length > 0) spawn();
      }),
    status: () => status,
    async sendLost(duty) {
      setFence(duty.fence);
      return async () => setFence(null);
    },
    close: () => inTurn(stop),
  };
}

/** Null: the ledger cannot be read now, and the thread takes the end that it finds. */
function endOf(ledgerFile: string, node: string | null): Cursor | null {
  try {
    const source = openSource(ledgerFile, { node });
    try {
      return source.end();
    } finally {
      source.close();
    }
  } catch {
    return null; // There is no ledger yet, or it cannot be opened.
  }
}

type Log = ExportsParts['log'];

function reportChange(log: Log, former: SinkStatus | undefined, next: SinkStatus): void {
  const [was, is] = [former?.stopped ?? former?.state?.problem ?? null, next.stopped ?? next.state?.problem ?? null];
  const { name: sink, lag } = next;
  if (is !== null && is !== was) log.warn({ sink, problem: is, lag }, 'records cannot be sent: they wait');
  if (is === null && was !== null) log.info({ sink, lag }, 'records are sent again');
  const rejected = (next.state?.rejected ?? 0) - (former?.state?.rejected ?? next.state?.rejected ?? 0);
  if (rejected > 0) log.warn({ sink, rejected }, 'a sink rejected some of the records');
}

function breakWords(broken: Break): string {
  return broken.kind === 'pruned'
    ? 'retention removed records before a sink received them'
    : 'the ledger is not the one whose records the sink received before';
}

/** The sink gets this record too. `resource_id` is the sink's name, `tool` says which records it did not get. */
export function breakRecord(name: string, broken: Break, nowMs: number): NewRecord {
  return {
    time: new Date(nowMs).toISOString(),
    action: EXPORT_GAP_ACTION,
    reason: broken.kind === 'pruned' ? 'retention' : 'ledger-replaced',
    resource_type: 'Sink',
    resource_id: name,
    tool: broken.kind === 'pruned' ? `${broken.missed} records up to number ${broken.cursor.n}` : `goes on behind ${broken.cursor.time}`,
  };
}
