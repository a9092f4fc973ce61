// The ledger's state machine, without threads and timers: groups of commands, batches of log lines, failure and recovery.
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { REASONS } from '../../contract/reasons.ts';
import type { RouteKnowledge } from './access-line.ts';
import { type AppendRow, createAppend } from './append.ts';
import type { ServiceCalls } from './call-count.ts';
import { type ChainMemory, createChain } from './chain/chain.ts';
import { createImport, foreignBatch } from './chain/import.ts';
import { createRetention, type Retention } from './chain/retention.ts';
import { openLedgerDatabase, transaction, unsyncedTransaction } from './database.ts';
import { recoveredRecord, stoppedRecord } from './events.ts';
import { createFloods, type Floods } from './floods.ts';
import { createHeartbeat, type Heartbeat } from './heartbeat.ts';
import { createIngest, type Ingest } from './ingest.ts';
import { createIntents, type Intents } from './intents.ts';
import { createLogSpace, freeBytesIn } from './log-space.ts';
import { isNotable } from './notable.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createEventStore } from './prefect-events/store-events.ts';
import type { Command, FetchedCommand, Outcome, WorkerSetup } from './protocol.ts';
import type { RotateLimits } from './rotate.ts';

/** Failed settles wait here. Their intents are durable, so they may wait for the disk, but only in a bounded number. */
const MOST_UNWRITTEN = 10_000;

export interface Core {
  /** One transaction for the group, with an outcome for each command. It waits for the disk, unless the group has only settles. */
  run(commands: readonly Command[]): readonly Outcome[];
  /** Writes settles to the disk that did not wait for it. */
  sync(): void;
  /** One transaction that does not wait for the disk. */
  store(command: FetchedCommand): Outcome;
  /** Reads one batch from the logs; true when there may be more. While unhealthy, it tries to recover. */
  pump(): boolean;
  /** After a batch: the age of its last line. 0 when everything is read, or nothing can be written. */
  lagMs(): number;
  /** Regular work: releases held lines, writes a heartbeat, applies retention. */
  tick(): void;
  healthy(): boolean;
  /** Reads the logs to their end, records a clean stop, closes. */
  close(): void;
}

export interface CoreParts {
  readonly setup: WorkerSetup;
  readonly routes: RouteKnowledge;
  readonly clock: Clock;
  /** Called at each change; `detail` is for the log. */
  readonly onHealth: (healthy: boolean, detail: string) => void;
  /** nginx must reopen its log files. */
  readonly onReopen?: () => void;
  readonly onCalls?: (calls: readonly ServiceCalls[]) => void;
  /** Free space on the disk of the access log. */
  readonly freeBytes?: () => number;
}

interface Open {
  readonly db: DatabaseSync;
  /** One transaction that ends with a signed head. */
  readonly write: <T>(work: () => T) => T;
  /** The same, without waiting for the disk. */
  readonly writeUnsynced: <T>(work: () => T) => T;
  readonly retention: Retention;
  readonly appendRow: AppendRow;
  readonly floods: Floods;
  readonly intents: Intents;
  readonly outbox: Outbox;
  readonly ingest: Ingest;
  readonly heartbeat: Heartbeat;
  readonly store: (command: FetchedCommand) => Outcome;
}

export function createCore({ setup, routes, clock, onHealth, onReopen, onCalls, freeBytes }: CoreParts): Core {
  const space = createLogSpace(freeBytes ?? (() => freeBytesIn(dirname(setup.accessLog))));
  let open: Open | undefined;
  const memory: ChainMemory = { committed: undefined };
  let failedAtMs: number | undefined;
  let leftoversDone = setup.beside;
  /** Another process reads the logs. */
  let isPaused = false;
  let unwritten: Command[] = [];
  /** True at first: an earlier thread may have left unsynced settles. */
  let isSyncDue = true;

  /** Every write passes here: a failure makes the ledger unhealthy, and the next try opens a new connection. */
  function guarded<T>(work: (open: Open) => T): T | undefined {
    try {
      open ??= openAll({ setup, routes, clock, memory, onCalls });
      return work(open);
    } catch (error) {
      shut();
      fail(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Without free space, lines may be missing since free space was last seen. */
  function fail(detail: string): void {
    if (failedAtMs !== undefined) return;
    onHealth(false, detail);
    failedAtMs = space.isFree(clock()) ? clock() : (space.lastMs() ?? clock());
  }

  /** Recovers by real writes: a batch from the logs, the waiting settles, and a record that names the gap. */
  function recover(): boolean {
    if (!space.isFree(clock())) return false;
    const since = failedAtMs ?? clock();
    const done = guarded((parts) => {
      const more = parts.ingest.pump(clock());
      parts.write(() => {
        for (const command of unwritten) runOne(parts, command, clock());
        parts.appendRow(recoveredRecord(clock(), Math.max(0, clock() - since)));
      });
      return { more };
    });
    if (done === undefined) return false;
    unwritten = [];
    failedAtMs = undefined;
    onHealth(true, 'written again');
    return done.more;
  }

  function settleLeftovers(): void {
    guarded(({ write, intents }) => write(() => intents.abandonOthers()));
    leftoversDone = failedAtMs === undefined;
  }

  function takeTurn(kind: Command['kind']): void {
    if (kind === 'pause') isPaused = true;
    if (kind === 'resume') isPaused = false;
    if (kind === 'alone') leftoversDone = false;
  }

  function shut(): void {
    const parts = open;
    open = undefined;
    parts?.ingest.close();
    parts?.db.close();
  }

  space.isFree(clock());
  guarded(() => undefined);

  return {
    run(commands) {
      const written = (parts: Open): readonly Outcome[] => {
        const areOutcomes = commands.every(({ kind }) => kind === 'settle');
        const write = areOutcomes ? parts.writeUnsynced : parts.write;
        const done = write(() => commands.map((command) => runOne(parts, command, clock())));
        isSyncDue = areOutcomes;
        return done;
      };
      const outcomes = failedAtMs === undefined ? guarded(written) : undefined;
      if (outcomes !== undefined) {
        for (const { kind } of commands) takeTurn(kind);
        return outcomes;
      }
      unwritten = [...unwritten, ...commands.filter((command) => command.kind === 'settle')].slice(0, MOST_UNWRITTEN);
      return commands.map(() => UNAVAILABLE);
    },
    sync() {
      if (!isSyncDue || failedAtMs !== undefined) return;
      guarded(({ write, heartbeat, ingest }) => write(() => !isPaused && heartbeat.beatNow(clock(), ingest.readMs() ?? clock())));
      isSyncDue = false;
    },
    store(command) {
      const outcome = failedAtMs === undefined ? guarded((parts) => parts.store(command)) : undefined;
      return outcome === undefined ? UNAVAILABLE : outcome;
    },
    pump() {
      if (isPaused) return false;
      if (failedAtMs !== undefined) return recover();
      const more = guarded((parts) => parts.ingest.pump(clock())) ?? false;
      if (!more && !leftoversDone && failedAtMs === undefined) settleLeftovers();
      return more;
    },
    tick() {
      if (!space.isFree(clock())) fail('there is no space for the access log');
      if (failedAtMs !== undefined || isPaused) return;
      guarded(({ write, intents, floods, outbox, heartbeat, retention, ingest }) =>
        write(() => {
          retention.step(clock());
          intents.releaseHeld(clock());
          floods.summarise(clock());
          outbox.trim();
          heartbeat.beat(clock(), ingest.readMs() ?? clock());
        }),
      );
      if (setup.rotate !== null && rotated(open, setup.rotate)) onReopen?.();
    },
    lagMs: () => Math.max(0, clock() - (open?.ingest.readMs() ?? clock())),
    healthy: () => failedAtMs === undefined,
    close() {
      while (this.pump());
      guarded((parts) =>
        parts.write(() => {
          const { intents, floods, heartbeat, appendRow } = parts;
          for (const command of unwritten) runOne(parts, command, clock());
          if (isPaused) return;
          intents.releaseAll();
          // The current minute continues after a restart.
          floods.summarise(clock());
          appendRow(stoppedRecord(clock()));
          heartbeat.stop(clock());
        }),
      );
      shut();
    },
  };
}

/** A failed rename is no failure of the ledger: the log grows, and the next tick tries again. */
function rotated(open: Open | undefined, limits: RotateLimits): boolean {
  try {
    return open?.ingest.rotate(limits) ?? false;
  } catch {
    return false;
  }
}

const UNAVAILABLE: Outcome = { code: 'ledger-unavailable', message: REASONS['ledger-unavailable'].detail, detail: 'the last write failed' };

/** A command fails before it writes anything, so the rest of its group is still written. */
function runOne({ intents, heartbeat, appendRow }: Open, command: Command, nowMs: number): Outcome {
  return outcomeOf(() => {
    if (command.kind === 'append') intents.append(command.record);
    if (command.kind === 'intend') intents.intend(command.record, nowMs);
    if (command.kind === 'settle') intents.settle(command.requestId, command.outcome);
    if (command.kind === 'resume') heartbeat.start(nowMs);
    if (command.kind !== 'pause') return;
    appendRow(stoppedRecord(nowMs));
    heartbeat.stop(nowMs);
  });
}

function outcomeOf(work: () => void): Outcome {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    return { code: error.code, message: error.message, detail: error.detail ?? '' };
  }
}

interface Opening extends Pick<CoreParts, 'setup' | 'routes' | 'clock'> {
  readonly memory: ChainMemory;
  readonly onCalls: CoreParts['onCalls'];
}

function openAll({ setup, routes, clock, memory, onCalls }: Opening): Open {
  const db = openLedgerDatabase(setup.ledgerFile);
  try {
    const chain = createChain({ db, node: setup.node, keyFile: setup.ledgerKey, clock, memory });
    const sealed = <T>(work: () => T): T => {
      const result = work();
      chain.seal();
      return result;
    };
    const committed = <T>(result: T): T => {
      chain.committed();
      return result;
    };
    const write = <T>(work: () => T): T => committed(transaction(db, () => sealed(work)));
    const writeUnsynced = <T>(work: () => T): T => committed(unsyncedTransaction(db, () => sealed(work)));
    const append = createAppend(db, setup.node, chain);
    const outbox = createOutbox(db);
    const appendRow: AppendRow = (record, id) => {
      const isNew = append(record, id);
      if (isNew && isNotable(record)) outbox.add();
      return isNew;
    };
    const floods = createFloods(db, appendRow, setup.floods);
    const intents = createIntents({ db, appendRow, floods, session: setup.session });
    const heartbeat = createHeartbeat(db, appendRow, setup);
    const retention = createRetention({ db, chain, appendRow, retentionMs: setup.retentionMs });
    write(() => heartbeat.start(setup.startedAtMs));
    const { accessLog, edgeErrorLog, basePath } = setup;
    const ingest = createIngest({ db, write: writeUnsynced, appendRow, intents, routes, accessLog, edgeErrorLog, basePath, onCalls });
    const storeEvents = createEventStore(db, appendRow);
    const importRows = createImport(db, chain);
    const store = (command: FetchedCommand) =>
      writeUnsynced(() =>
        outcomeOf(() => (command.kind === 'events' ? storeEvents(command.batch, clock()) : importRows(foreignBatch(command.batch, setup.node)))),
      );
    return { db, write, writeUnsynced, store, retention, appendRow, floods, intents, outbox, ingest, heartbeat };
  } catch (error) {
    db.close();
    throw error;
  }
}
