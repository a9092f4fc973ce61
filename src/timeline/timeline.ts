// One flow run's requests, decisions and states on one time line, and who started it. Pure.
import type { LedgerRecord } from '../contract/record.ts';
import type { PrefectRun, PrefectState } from './prefect-run.ts';
import { findStart, type Start } from './start.ts';

export type TimelineEntry =
  /** Something that was let through. */
  | { readonly kind: 'request'; readonly time: string; readonly record: LedgerRecord }
  /** Something that was refused. */
  | { readonly kind: 'decision'; readonly time: string; readonly record: LedgerRecord }
  /** What happened to the gateway itself meanwhile: records may be missing here. */
  | { readonly kind: 'gateway'; readonly time: string; readonly record: LedgerRecord }
  | { readonly kind: 'state'; readonly time: string; readonly state: PrefectState };

export interface Timeline {
  /** Null: Prefect could not be asked, or does not know the run. */
  readonly run: PrefectRun | null;
  readonly start: Start;
  /** In time order. */
  readonly entries: readonly TimelineEntry[];
}

export interface TimelineParts {
  readonly run: PrefectRun | null;
  readonly states: readonly PrefectState[];
  /** The run's records. */
  readonly records: readonly LedgerRecord[];
  /** The gateway's own records of about that time; those outside the run's span are left out. */
  readonly gatewayEvents?: readonly LedgerRecord[];
}

export function buildTimeline({ run, states, records, gatewayEvents = [] }: TimelineParts): Timeline {
  const ofRun = [...records.map(entryOf), ...states.map((state): TimelineEntry => ({ kind: 'state', time: state.timestamp, state }))].sort(inOrder);
  const [first, last] = [ofRun[0]?.time, ofRun.at(-1)?.time];
  const meanwhile = gatewayEvents.filter((record) => first !== undefined && last !== undefined && record.time >= first && gapStart(record) <= last);
  const entries = [...ofRun, ...meanwhile.map((record): TimelineEntry => ({ kind: 'gateway', time: record.time, record }))].sort(inOrder);
  return { run, start: findStart(run, records), entries };
}

function entryOf(record: LedgerRecord): TimelineEntry {
  return { kind: record.decision === 'deny' ? 'decision' : 'request', time: record.time, record };
}

/** A gap that began within the run belongs to it, even when it was noticed later. */
function gapStart(record: LedgerRecord): string {
  return new Date(Date.parse(record.time) - (record.duration_ms ?? 0)).toISOString();
}

/** At the same millisecond the request stands before the state that it caused. */
function inOrder(a: TimelineEntry, b: TimelineEntry): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : Number(a.kind === 'state') - Number(b.kind === 'state');
}
