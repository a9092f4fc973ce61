// The control plane's side of replication: the ledgers of several nodes have the records of all.
import { Worker } from 'node:worker_threads';
import type { StatePaths } from '../../config/state-dir.ts';
import type { BeginWork } from '../../store/coordination.ts';
import { endThread } from '../end-thread.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { NOT_OPEN, problemWords } from './loop.ts';
import type { FromReplication, ReplicationSetup, ReplicationStatus, ToReplication } from './protocol.ts';

export interface Replication {
  /** Updated once a second. */
  status(): ReplicationStatus;
  /** The work of the duty `retention`. */
  readonly trim: BeginWork;
  /** Another process with this ledger starts, and does it. */
  pause(): Promise<void>;
  /** That one has not started. */
  resume(): void;
  /** Call it after the ledger is closed: its last records go to the store too, if the store answers soon. */
  close(): Promise<void>;
}

export interface ReplicationParts extends Omit<ReplicationSetup, 'ledgerFile' | 'fence'> {
  readonly paths: Pick<StatePaths, 'ledgerFile'>;
  readonly ledger: Pick<Ledger, 'importRows'>;
  readonly log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>> & { error(fields: object, text: string): void };
}

const AGAIN_MS = 1_000;
/** A batch is about one MiB. Above this limit the thread restarts. */
const MOST_MIB = 256;

export function startReplication({ paths, ledger, log, node, storeAt }: ReplicationParts): Replication {
  let worker: Worker | undefined;
  let status = NOT_OPEN;
  let fence: number | null = null;

  function spawn(): void {
    const workerData: ReplicationSetup = { ledgerFile: paths.ledgerFile, node, storeAt, fence };
    const limits = { maxOldGenerationSizeMb: MOST_MIB };
    const thread = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: 'replication', resourceLimits: limits });
    worker = thread;
    thread.on('message', (message: FromReplication) => onMessage(thread, message));
    thread.on('error', (error) => log.error({ err: error }, 'the thread of replication failed'));
    thread.on('exit', () => {
      setTimeout(() => {
        if (worker === thread) spawn();
      }, AGAIN_MS).unref();
    });
  }

  function onMessage(thread: Worker, message: FromReplication): void {
    if (message.kind === 'status') {
      reportChanges(log, status, message.status);
      status = message.status;
      return;
    }
    const answer = (error: string | null) => thread.postMessage({ kind: 'imported', id: message.id, error } satisfies ToReplication);
    ledger.importRows(message.batch).then(
      () => answer(null),
      (error: unknown) => answer(problemWords(error)),
    );
  }

  async function end(): Promise<void> {
    const thread = worker;
    worker = undefined;
    await endThread(thread, { kind: 'close' } satisfies ToReplication);
  }

  function setFence(next: number | null): void {
    fence = next;
    worker?.postMessage({ kind: 'duty', fence } satisfies ToReplication);
  }

  const trim: BeginWork = async (duty) => {
    setFence(duty.fence);
    return async () => setFence(null);
  };

  spawn();
  return { status: () => status, trim, pause: end, resume: spawn, close: end };
}

/** One line for each problem that begins or ends. */
function reportChanges(log: ReplicationParts['log'], former: ReplicationStatus, next: ReplicationStatus): void {
  const { waiting } = next;
  if (next.problem !== null && next.problem !== former.problem) log.warn({ problem: next.problem, ...waiting }, 'records wait for the store');
  if (next.problem === null && former.problem !== null) log.info(waiting, 'the store takes records again');
  for (const { node, behind, problem } of next.nodes) {
    const before = former.nodes.find((one) => one.node === node)?.problem ?? null;
    if (problem !== null && problem !== before) log.error({ node, behind, problem }, 'records of another node are not taken');
    if (problem === null && before !== null) log.info({ node, behind }, 'records of another node are taken again');
  }
}
