// What the ledger records about itself and its surroundings: the gaps that it cannot fill, it names.
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { stableId } from './append.ts';

/** Actions of records that are no request. Their `duration_ms` is the length of the gap that ends at `time` or, for a start, before it. */
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
} as const;

export type PreviousShutdown = 'none' | 'clean' | 'unclean';

export interface Start {
  readonly previous: PreviousShutdown;
  readonly awayMs: number | null;
  /** The roles of lictor.yaml: they may have changed since the last record. */
  readonly grants: LedgerRecord['grants'];
}

/** `resource_id` says how the previous control plane ended; `duration_ms` how long there was none. */
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

/** The control plane gave no sign of life: the supervisor has killed it, and this is the next one. */
export function hungRecord(atMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.hung, 'control-plane-hung', {});
}

/**
 * The ledger, or the log that it is made from, could not be written for `outageMs`: changes were refused meanwhile. Direct requests were read from the access
 * log afterwards, as far as nginx had room for their lines: what has none lies in this time.
 */
export function recoveredRecord(atMs: number, outageMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.recovered, 'ledger-recovered', { duration_ms: outageMs });
}

export interface EdgeDeath {
  readonly pid: number;
  readonly atMs: number;
  readonly signal: string;
}

/**
 * nginx logs after it has answered: the requests in flight on this worker between its last line (`time` - `duration_ms`)
 * and its death have no access record. `duration_ms` is null when no line of this worker is known.
 */
export function edgeDeathRecord(death: EdgeDeath, lastSeenMs: number | null): NewRecord {
  const windowMs = lastSeenMs === null ? null : Math.max(0, death.atMs - lastSeenMs);
  return event(death.atMs, GATEWAY_ACTIONS.edgeWorkerDied, 'edge-worker-died', {
    resource_type: 'EdgeWorker',
    resource_id: String(death.pid),
    tool: `signal ${death.signal}`,
    duration_ms: windowMs,
  });
}

export function edgeDeathId(death: EdgeDeath): string {
  return stableId('edge-worker-died', death.pid, death.atMs);
}

// nginx: src/os/unix/ngx_process.c, ngx_process_get_status; local time, whole seconds.
const DEATH = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[alert\] \d+#\d+: (?:worker|cache \w+) process (\d+) exited on signal (\d+)/;

/** A line of nginx's error log that says that a worker was killed; undefined for every other line. */
export function parseEdgeDeath(line: string): EdgeDeath | undefined {
  const match = DEATH.exec(line);
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, pid = 0] = match.slice(1, 8).map(Number);
  // The end of that second, so that the window covers the death.
  return { pid, atMs: new Date(year, month - 1, day, hour, minute, second, 999).getTime(), signal: match[8] ?? '' };
}

/** A line that nobody can read is still evidence that something was logged. Its text stays in the log only: it may hold anything. */
export function unreadableRecord(atMs: number, bytes: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.unreadable, 'line-unreadable', { bytes });
}

/** Records older than the retention are no longer here; `resource_id` is the number of the last of them. What was signed about them stays. */
export function prunedRecord(atMs: number, upTo: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.pruned, 'retention', { resource_type: 'Record', resource_id: String(upTo) });
}

export const EVENTS_OF_RECORD = 'EventsOfRecord';

/** A record that was due to go, or the events of Prefect of which it speaks, are not as they were written: nothing more goes until the gateway is started again. */
export function pruneStoppedRecord(atMs: number, seq: number, what: 'record' | 'events'): NewRecord {
  const resourceType = what === 'record' ? 'Record' : EVENTS_OF_RECORD;
  return event(atMs, GATEWAY_ACTIONS.pruneStopped, 'ledger-altered', { resource_type: resourceType, resource_id: String(seq) });
}

/** The clock has leapt by `leapMs`, or the gateway was away for so long: which of them, it cannot know. `tool` says by how much; it is no gap. */
export function pruneHeldRecord(atMs: number, leapMs: number): NewRecord {
  return event(atMs, GATEWAY_ACTIONS.pruneHeld, 'clock-leapt', { tool: `${Math.round(leapMs / 3_600_000)} h` });
}

export const EVENTS_STORED = 'events.stored';

/** Rows `first` to `last` of the stored events, and what they hash to. */
export interface StoredEvents {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly sha256: string;
}

/** A batch of events of Prefect was stored. `resource_id` says which, `tool` how many, and the digest that proves them. */
export function eventsStoredRecord(atMs: number, { first, last, count, sha256 }: StoredEvents): NewRecord {
  return event(atMs, EVENTS_STORED, 'events-stored', {
    resource_type: 'PrefectEvents',
    resource_id: `${first}-${last}`,
    tool: `${count} events, sha256 ${sha256}`,
  });
}

/** Undefined: the record does not speak of events, or somebody changed it. */
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
