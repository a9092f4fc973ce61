// The control plane's side of the ledger: sends commands to the worker thread, never uses SQLite itself.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { StatePaths } from '../../config/state-dir.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { REASONS } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { endThread } from '../end-thread.ts';
import type { ServiceCalls } from './call-count.ts';
import { FLOOD_LIMITS } from './floods.ts';
import type { EventBatch } from './prefect-events/store-events.ts';
import type { Command, FromWorker, Outcome, ToWorker, WorkerSetup } from './protocol.ts';

export interface Ledger {
  /**
   * Appends a whole record; durable when it resolves. Call it before the answer, so that the request's access line adds nothing. A second record of a request
   * is a separate event.
   */
  append(record: NewRecord): Promise<void>;
  /** Durable before the request is forwarded. */
  intend(record: NewRecord & { readonly request_id: string }): Promise<void>;
  /**
   * Joins intent and outcome to one record, which survives the death of the process. It reaches the disk within 0.2 s. A power failure before leaves the
   * intent, and so a record with an unknown outcome. After a rejection with `ledger-unavailable`, it is still written as soon as possible.
   */
  settle(requestId: string, outcome: Partial<NewRecord>): Promise<void>;
  /** Stores one batch of Prefect's events and their mark, after everything else: they can be fetched again. */
  storeEvents(batch: EventBatch): Promise<void>;
  /** Adds records of another node: a ForeignBatch from `encodeBatch`, which is given away. Rejects with `replication-refused` if they do not fit. */
  importRows(batch: Uint8Array<ArrayBuffer>): Promise<void>;
  /** `pause`: another process of this state directory reads the logs from now on. `alone`: the process before this one has ended. */
  takeTurn(kind: 'pause' | 'resume' | 'alone'): Promise<void>;
  healthy(): boolean;
  onHealth(listener: (healthy: boolean) => void): void;
  /** A log was renamed: nginx must reopen its logs. Repeated until it has. */
  onReopen(listener: () => void): void;
  /** Rejected calls of services, from the access log. */
  onCalls(listener: (calls: readonly ServiceCalls[]) => void): void;
  /** Why it is unhealthy, for the log. Null: healthy. */
  problem(): string | null;
  /** Reads the logs to their end, then ends the thread. */
  close(): Promise<void>;
}

export interface LedgerOptions extends Pick<WorkerSetup, 'node'>, Partial<typeof DEFAULTS> {
  readonly paths: Pick<StatePaths, 'ledgerFile' | 'ledgerKey' | 'accessLog' | 'edgeErrorLog'>;
  readonly clock: Clock;
  /** Only tests set another entry. */
  readonly workerFile?: URL;
}

const DEFAULTS: Pick<WorkerSetup, 'basePath' | 'grants' | 'rotate' | 'retentionMs' | 'floods' | 'beside'> = {
  ...{ basePath: '', grants: null, rotate: null, retentionMs: null, beside: false },
  floods: FLOOD_LIMITS,
};

/** Above this number of unanswered commands, the disk is too slow. New ones are rejected, so that memory stays bounded. */
const MOST_PENDING = 10_000;
const RESTART_MS = 500;
/** The id of a command without a waiting caller. */
const NO_CALLER = 0;
const WORKER_FILE = new URL('./worker.ts', import.meta.url);

/**
 * Resolves when the thread runs, healthy or not: an unwritable disk stops changes, not reads. Rejects when the thread cannot run. append, intend and settle
 * reject with LictorError `ledger-unavailable`; intend with `ledger-request-recorded` and settle with `ledger-intent-missing` for a defect of the caller.
 */
export async function startLedger({ paths, clock, workerFile = WORKER_FILE, ...options }: LedgerOptions): Promise<Ledger> {
  const { ledgerFile, ledgerKey, accessLog, edgeErrorLog } = paths;
  const files = { ledgerFile, ledgerKey, accessLog, edgeErrorLog };
  const setup: WorkerSetup = { ...DEFAULTS, ...files, ...options, session: randomUUID(), startedAtMs: clock() };
  const health = createHealth();
  const pending = createPending();
  const reopen = createListeners<[]>();
  const calls = createListeners<[readonly ServiceCalls[]]>();
  let closing = false;
  /** Outcomes that an ended thread did not write. The next one writes them. */
  let unwritten: Command[] = [];
  let worker = spawn();

  function onMessage(message: FromWorker): void {
    if (message.kind === 'reopen') reopen.notify();
    else if (message.kind === 'calls') calls.notify(message.calls);
    else if (message.kind === 'health') health.set(message.healthy, message.detail);
    else for (const { id, outcome } of message.outcomes) pending.finish(id, outcome);
  }

  function spawn(): Worker {
    const thread = new Worker(workerFile, { workerData: setup, name: 'ledger' });
    thread.on('message', onMessage);
    thread.on('error', (error) => health.set(false, `the ledger thread failed: ${error instanceof Error ? error.message : String(error)}`));
    thread.on('exit', () => {
      addUnwritten(pending.failAll());
      if (closing) return;
      health.set(false, health.problem() ?? 'the ledger thread ended');
      setTimeout(() => {
        if (!closing) worker = spawnAgain();
      }, RESTART_MS);
    });
    return thread;
  }

  function spawnAgain(): Worker {
    const thread = spawn();
    for (const command of unwritten) thread.postMessage({ kind: 'command', id: NO_CALLER, command } satisfies ToWorker);
    unwritten = [];
    return thread;
  }

  function addUnwritten(commands: readonly Command[]): void {
    unwritten = [...unwritten, ...commands.filter(({ kind }) => kind === 'settle')].slice(0, MOST_PENDING);
  }

  function ask(command: Command): Promise<void> {
    // A settle goes to the worker even if it is unhealthy, and waits there. An ended thread gets no message.
    const hasEnded = worker.threadId === -1;
    if (hasEnded) addUnwritten([command]);
    const isLate = pending.size() >= MOST_PENDING || !health.healthy();
    const refuse = closing || hasEnded || (isLate && command.kind !== 'settle');
    if (refuse) return Promise.reject(unavailable(health.problem() ?? 'closing, or too many waiting writes'));
    return pending.add(command, (id) =>
      worker.postMessage({ kind: 'command', id, command } satisfies ToWorker, command.kind === 'import' ? [command.batch.buffer] : []),
    );
  }

  try {
    await firstMessage(worker);
  } catch (error) {
    closing = true;
    throw unavailable(error instanceof Error ? error.message : 'the ledger thread did not start');
  }

  return {
    append: (record) => ask({ kind: 'append', record }),
    intend: (record) => ask({ kind: 'intend', record }),
    settle: (requestId, outcome) => ask({ kind: 'settle', requestId, outcome }),
    storeEvents: (batch) => ask({ kind: 'events', batch }),
    takeTurn: (kind) => ask({ kind }),
    importRows: (batch) => ask({ kind: 'import', batch }),
    healthy: health.healthy,
    onHealth: health.onChange,
    onReopen: reopen.add,
    onCalls: calls.add,
    problem: health.problem,
    async close() {
      if (closing) return;
      closing = true;
      await endThread(worker, { kind: 'close' } satisfies ToWorker);
    },
  };
}

async function firstMessage(worker: Worker): Promise<void> {
  await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => {
      throw new Error('the ledger thread ended at its start');
    }),
  ]);
}

function createListeners<T extends readonly unknown[]>() {
  const listeners: ((...args: T) => void)[] = [];
  return {
    add: (listener: (...args: T) => void) => void listeners.push(listener),
    notify: (...args: T) => {
      for (const listener of listeners) listener(...args);
    },
  };
}

function createHealth() {
  const listeners = createListeners<[boolean]>();
  let healthy = false;
  let detail = 'starting';
  return {
    healthy: () => healthy,
    problem: () => (healthy ? null : detail),
    onChange: listeners.add,
    set(next: boolean, why: string) {
      const changed = next !== healthy;
      healthy = next;
      detail = why;
      if (changed) listeners.notify(next);
    },
  };
}

function createPending() {
  const waiting = new Map<number, { readonly command: Command; resolve: () => void; reject: (error: Error) => void }>();
  let lastId = 0;
  return {
    size: () => waiting.size,
    add(command: Command, send: (id: number) => void): Promise<void> {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { command, resolve, reject });
        send(id);
      });
    },
    finish(id: number, outcome: Outcome) {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (outcome === null) asked?.resolve();
      else asked?.reject(new LictorError(outcome.code, outcome.message, { detail: outcome.detail }));
    },
    /** Rejects all waiting commands, and returns them. */
    failAll(): readonly Command[] {
      const lost = [...waiting.values()];
      waiting.clear();
      for (const { reject } of lost) reject(unavailable('the ledger thread ended'));
      return lost.map(({ command }) => command);
    },
  };
}

function unavailable(detail: string): LictorError {
  return new LictorError('ledger-unavailable', REASONS['ledger-unavailable'].detail, { detail });
}
