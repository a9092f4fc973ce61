// One entry of a timeline as a flat row with its lane: what `lictor timeline` prints, for a reader that pages and draws.
import { CONNECT_ACTION } from '../../../contract/destination.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { createsRun } from '../../ledger/notable.ts';
import { actionWords, eventWords } from '../action-words.ts';
import { isChatter } from '../group.ts';
import { ENDED } from '../task-runs.ts';
import type { NestedEntry, Timeline, TimelineEntry } from '../timeline.ts';

export const LANES = ['who', 'approval', 'decision', 'request', 'service', 'worker', 'state', 'task', 'run', 'event', 'gateway'] as const;
export type Lane = (typeof LANES)[number];

export const KINDS = ['request', 'decision', 'gateway', 'state', 'task', 'event', 'run'] as const;

export interface TimelineRow {
  /** The same for one entry in every answer: a later answer replaces it. */
  readonly key: string;
  readonly kind: (typeof KINDS)[number];
  readonly lane: Lane;
  readonly time: string;
  /** Null: a moment, or not over yet. */
  readonly duration_ms: number | null;
  /** 0: the run itself. 1: a run that it started. */
  readonly depth: number;
  readonly flow_run_id: string;
  /** Of a record of the ledger. */
  readonly record_id: string | null;
  /** How the record is bound to the run. Null: no record. */
  readonly binding: LedgerRecord['run_binding'] | null;
  readonly principal: string | null;
  readonly on_behalf_of: readonly string[];
  /** The action, the state, the name of the task, of the event or of the nested run. Null: the reader may not see its name. */
  readonly what: string | null;
  readonly state: string | null;
  readonly state_type: string | null;
  readonly status: number | null;
  readonly decision: 'allow' | 'deny' | null;
  readonly reason: string | null;
  readonly observed: boolean;
  readonly attempts: number | null;
  /** The words of a state, from the flow. */
  readonly message: string | null;
  /** The nested run, the task run, or the object of the request. */
  readonly object_id: string | null;
  /** A read or a report that succeeded. */
  readonly routine: boolean;
}

/** Text of flows has no bound. */
const MOST_TEXT = 2_000;

export function rowOf({ entry, depth, flowRunId }: NestedEntry, seesNames: boolean): TimelineRow {
  const row = { ...EMPTY, kind: entry.kind, time: entry.time, depth, flow_run_id: flowRunId };
  const { what, message, ...rest } = partOf(entry);
  const own = 'record' in entry ? what : (named(what, seesNames) ?? (entry.kind === 'state' ? typeWord(entry.state.type) : null));
  return { ...row, ...rest, what: own ?? null, message: named(message, seesNames) };
}

/** `CANCELLED` -> `Cancelled`: a flow may give a state any name, but not any type. */
function typeWord(type: string): string {
  return `${type.slice(0, 1)}${type.slice(1).toLowerCase()}`;
}

function named(text: string | null | undefined, seesNames: boolean): string | null {
  return seesNames ? (text?.slice(0, MOST_TEXT) ?? null) : null;
}

type Part = Pick<TimelineRow, 'key' | 'lane'> & Partial<TimelineRow>;

function partOf(entry: TimelineEntry): Part {
  switch (entry.kind) {
    case 'state': {
      const { id, name, type, message } = entry.state;
      return { key: `state:${id}`, lane: 'state', duration_ms: entry.lastedMs, what: name, state_type: type, message };
    }
    case 'task': {
      const { id, name, state, stateType, durationMs, attempts } = entry.task;
      return { key: `task:${id}`, lane: 'task', duration_ms: durationMs, what: name, state, state_type: stateType, attempts, object_id: id };
    }
    case 'event': {
      const { id, event, resource_id: object_id } = entry.event;
      return { key: `event:${id}`, lane: event.startsWith('prefect.worker.') ? 'worker' : 'event', what: eventWords(entry.event), object_id };
    }
    case 'run':
      return runPart(entry.time, entry.timeline);
    default:
      return recordPart(entry.record, entry.kind);
  }
}

function runPart(time: string, { id, name, state, start, entries }: Timeline): Part {
  const last = entries.flatMap((entry) => (entry.kind === 'state' ? [entry] : [])).at(-1);
  const isOver = last !== undefined && ENDED.includes(last.state.type);
  const { principal, on_behalf_of } = start;
  const duration_ms = isOver ? Math.max(0, Date.parse(last.time) - Date.parse(time)) : null;
  return { key: `run:${id}`, lane: 'run', duration_ms, what: name, state, state_type: last?.state.type ?? null, object_id: id, principal, on_behalf_of };
}

function recordPart(record: LedgerRecord, kind: 'request' | 'decision' | 'gateway'): Part {
  const { id, duration_ms, run_binding: binding, principal, on_behalf_of, status, decision, reason, mode, resource_id: object_id } = record;
  const routine = kind === 'request' && isChatter(record);
  return {
    ...{ key: `record:${id}`, lane: kind === 'gateway' ? kind : laneOf(record, routine), record_id: id, what: actionWords(record) },
    ...{ duration_ms, binding, principal, on_behalf_of, status, decision, reason, object_id, routine, observed: mode === 'observe' },
  };
}

/** The kinds of principals that ask for something, rather than run it. */
const ASKING: readonly (string | null)[] = ['user', 'agent'];

function laneOf(record: LedgerRecord, routine: boolean): Lane {
  if (createsRun(record)) return 'who';
  if (record.approval_id !== null) return 'approval';
  if (record.service !== null || record.action === CONNECT_ACTION) return 'service';
  if (record.decision === 'deny') return 'decision';
  if (!routine && ASKING.includes(record.principal_kind)) return 'who';
  return record.action?.startsWith('worker.') === true ? 'worker' : 'request';
}

const EMPTY = {
  ...{ duration_ms: null, record_id: null, binding: null, principal: null, on_behalf_of: [], what: null, state: null, state_type: null, status: null },
  ...{ decision: null, reason: null, observed: false, attempts: null, message: null, object_id: null, routine: false },
} as const;
