// Records that the ledger writes about itself and the gateway, above all about gaps.
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { stableId } from './append.ts';

/** Actions of records that are no request. `duration_ms` is the length of the gap that ends at `time`. */
export const GATEWAY_ACTIONS = {
  started: 'gateway.started',
  stopped: 'gateway.stopped',
  hung: 'gateway.hung',
  edgeWorkerDied: 'edge.worker_died',
  recovered: 'ledger.recovered',
  unreadable: 'ledger.unreadable',
  pruned: 'ledger.pruned',
  pruneStopped: 'ledger.prune_stopped',
  pruneHeld: 'ledger.prune_held',
  restored: 'gateway.restored',
  credentialsEnded: 'gateway.credentials_ended',
} as const;

export type PreviousShutdown = 'none' | 'clean' | 'unclean';

export interface Start {
  readonly previous: PreviousShutdown;
  readonly awayMs: number | null;
  /** The roles of lictor.yaml, which may have changed since the last record. */
  readonly grants: LedgerRecord['grants'];
}

/** `resource_id` says how the previous control plane ended, `duration_ms` how long there was none. */
export function startedRecord(atMs: number, { previous, awayMs, grants }: Start): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.started, 'control-plane-started', {
    resource_type: 'PreviousShutdown',
    resource_id: previous,
    duration_ms: awayMs,
    grants,
  });
}

export function stoppedRecord(atMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.stopped, 'control-plane-stopped', {});
}

/** The control plane gave no heartbeat, so the supervisor killed it and started this one. */
export function hungRecord(atMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.hung, 'control-plane-hung', {});
}

/**
 * For `outageMs`, the ledger or the access log could not be written, and changes were rejected. The access log has the direct requests of that time, as far
 * as nginx had space.
 */
export function recoveredRecord(atMs: number, outageMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.recovered, 'ledger-recovered', { duration_ms: outageMs });
}

export interface EdgeDeath {
  readonly pid: number;
  /** All workers ended with it. */
  readonly isMaster: boolean;
  readonly atMs: number;
  readonly signal: string;
}

/**
 * nginx logs after it answers. So requests of this worker between its last line and its death have no record. `duration_ms` is that time, or null if no line
 * of the worker is known. `lastSeenMs` of a master is the last line of any worker.
 */
export function edgeDeathRecord(death: EdgeDeath, lastSeenMs: number | null): NewRecord {
  const windowMs = lastSeenMs === null ? null : Math.max(0, death.atMs - lastSeenMs);
  return event(death.atMs, GATEWAY_ACTIONS.edgeWorkerDied, 'edge-worker-died', {
    resource_type: death.isMaster ? 'EdgeMaster' : 'EdgeWorker',
    resource_id: String(death.pid),
    tool: `signal ${death.signal}`,
    duration_ms: windowMs,
  });
}

export function edgeDeathId(death: EdgeDeath): string {
  return stableId('edge-worker-died', death.pid, death.atMs);
}

// nginx: src/os/unix/ngx_process.c, ngx_process_get_status; local time, whole seconds. Of the master: reportEdgeDeath of the supervisor.
const DEATH = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[alert\] \d+#\d+: (worker|master|cache \w+) process (\d+) exited on signal (\d+)/;

/** A line of nginx's error log about a killed worker, or a killed master. Undefined for every other line. */
export function parseEdgeDeath(line: string): EdgeDeath | undefined {
  const match = DEATH.exec(line);
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  // The end of that second, so that the window covers the death.
  return {
    pid: Number(match[8]),
    isMaster: match[7] === 'master',
    atMs: new Date(year, month - 1, day, hour, minute, second, 999).getTime(),
    signal: match[9] ?? '',
  };
}

/** An unreadable line still proves that a request was logged. Its text may hold anything, so it stays in the log only. */
export function unreadableRecord(atMs: number, bytes: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.unreadable, 'line-unreadable', { bytes });
}

/** Retention deleted the records up to `resource_id`. Their signatures stay. */
export function prunedRecord(atMs: number, upTo: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.pruned, 'retention', { resource_type: 'Record', resource_id: String(upTo) });
}

export const EVENTS_OF_RECORD = 'EventsOfRecord';

/** A record that was due for deletion, or its events of Prefect, were changed. Retention stops until the next start. */
export function pruneStoppedRecord(atMs: number, seq: number, what: 'record' | 'events'): NewRecord {
  const resourceType = what === 'record' ? 'Record' : EVENTS_OF_RECORD;
  return event(atMs, GATEWAY_ACTIONS.pruneStopped, 'ledger-altered', { resource_type: resourceType, resource_id: String(seq) });
}

/** The clock jumped by `leapMs`, or the gateway was away for so long. `tool` has the difference; it is no gap. */
export function pruneHeldRecord(atMs: number, leapMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.pruneHeld, 'clock-leapt', { tool: `${Math.round(leapMs / 3_600_000)} h` });
}

export const EVENTS_STORED = 'events.stored';

/** Rows `first` to `last` of the stored events, and their digest. */
export interface StoredEvents {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly sha256: string;
}

/** A batch of events was stored. `resource_id` has their rows, `tool` their number and digest. */
export function eventsStoredRecord(atMs: number, { first, last, count, sha256 }: StoredEvents): NewRecord {
  return event(atMs, EVENTS_STORED, 'events-stored', {
    resource_type: 'PrefectEvents',
    resource_id: `${first}-${last}`,
    tool: `${count} events, sha256 ${sha256}`,
  });
}

/** Undefined: the record covers no events, or it was changed. */
export function parseStoredEvents({ action, resource_id, tool }: Pick<LedgerRecord, 'action' | 'resource_id' | 'tool'>): StoredEvents | undefined {
  if (action !== EVENTS_STORED) return undefined;
  const range = parseStoredRange(resource_id);
  const what = /^(\d{1,6}) events, sha256 ([0-9a-f]{64})$/.exec(tool ?? '');
  return range === undefined || what === null ? undefined : { ...range, count: Number(what[1]), sha256: what[2] ?? '' };
}

export function parseStoredRange(text: string | null): Pick<StoredEvents, 'first' | 'last'> | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2]) };
}

function event(atMs: number, action: string, reason: string, more: Partial<NewRecord>): NewRecord {
  return { time: new Date(atMs).toISOString(), action, reason, ...more };
}
