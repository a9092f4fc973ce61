// The timeline of one flow run: requests, decisions, states, task runs, nested runs, and who started it. Pure.
import { isFlowRunState, type PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { PrefectRun, PrefectState } from './prefect-run.ts';
import { findStart, type ParentRun, type Start } from './start.ts';
import { shortTime, type TaskRun, taskRunsOf } from './task-runs.ts';

export type TimelineEntry =
  | { readonly kind: 'request'; readonly time: string; readonly record: LedgerRecord }
  /** A denial. */
  | { readonly kind: 'decision'; readonly time: string; readonly record: LedgerRecord }
  /** An event of the gateway itself: records may be missing at this time. */
  | { readonly kind: 'gateway'; readonly time: string; readonly record: LedgerRecord }
  /** `lastedMs`: until the next state. Null: the last state. */
  | { readonly kind: 'state'; readonly time: string; readonly state: PrefectState; readonly lastedMs: number | null }
  | { readonly kind: 'task'; readonly time: string; readonly task: TaskRun }
  /** Another event of Prefect, for example of a worker or an automation. */
  | { readonly kind: 'event'; readonly time: string; readonly event: PrefectEvent }
  /** A run that this run started. */
  | { readonly kind: 'run'; readonly time: string; readonly timeline: Timeline };

export interface Timeline {
  readonly id: string;
  /** Null: unknown. */
  readonly name: string | null;
  readonly state: string | null;
  /** Null: Prefect did not answer, or does not know the run. */
  readonly run: PrefectRun | null;
  readonly start: Start;
  /** In time order. */
  readonly entries: readonly TimelineEntry[];
}

export interface TimelineParts {
  readonly id?: string;
  readonly run: PrefectRun | null;
  readonly states: readonly PrefectState[];
  readonly records: readonly LedgerRecord[];
  /** In time order. */
  readonly events?: readonly PrefectEvent[];
  /** The gateway's own records of that time. Those outside the run's span are left out. */
  readonly gatewayEvents?: readonly LedgerRecord[];
  readonly children?: readonly Timeline[];
  readonly parent?: ParentRun | null;
  /** Who made the automation that made the run. */
  readonly madeBy?: string | null;
}

export function buildTimeline(parts: TimelineParts): Timeline {
  const { run, records, events = [], gatewayEvents = [], children = [] } = parts;
  const states = withDurations(allStates(parts.states, events));
  const ofRun = [
    ...records.map(entryOf),
    ...states,
    ...taskRunsOf(events).map((task): TimelineEntry => ({ kind: 'task', time: task.time, task })),
    ...events.filter(isOther).map((event): TimelineEntry => ({ kind: 'event', time: shortTime(event.occurred), event })),
    ...children.map((timeline): TimelineEntry => ({ kind: 'run', time: timeline.entries[0]?.time ?? '', timeline })),
  ].sort(inOrder);
  const [first, last] = [ofRun[0]?.time, ofRun.at(-1)?.time];
  const meanwhile = gatewayEvents.filter((record) => first !== undefined && last !== undefined && record.time >= first && gapStart(record) <= last);
  const entries = [...ofRun, ...meanwhile.map((record): TimelineEntry => ({ kind: 'gateway', time: record.time, record }))].sort(inOrder);
  return {
    id: parts.id ?? run?.id ?? '',
    name: run?.name ?? events.find((event) => isFlowRunState(event) && event.resource_name !== null)?.resource_name ?? null,
    state: run?.state ?? states.at(-1)?.state.name ?? null,
    run,
    start: findStart(parts),
    entries,
  };
}

/** Prefect's answer has the messages. The events have the states that Prefect deleted or could not return. A state's id is that of its event. */
function allStates(asked: readonly PrefectState[], events: readonly PrefectEvent[]): readonly PrefectState[] {
  const known = new Set(asked.map(({ id }) => id));
  const stored = events.filter((event) => isState(event) && !known.has(event.id));
  const fromEvents = stored.map(
    ({ id, state_type: type, state_name: name, occurred }): PrefectState => ({
      ...{ id, type: type ?? '', name: name ?? '', message: null, timestamp: shortTime(occurred) },
    }),
  );
  return [...asked, ...fromEvents].sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
}

function withDurations(states: readonly PrefectState[]): readonly Extract<TimelineEntry, { kind: 'state' }>[] {
  return states.map((state, index) => {
    const next = states[index + 1];
    const lastedMs = next === undefined ? null : Date.parse(next.timestamp) - Date.parse(state.timestamp);
    return { kind: 'state', time: state.timestamp, state, lastedMs };
  });
}

function isState(event: PrefectEvent): boolean {
  return isFlowRunState(event) && event.state_name !== null;
}

function isOther(event: PrefectEvent): boolean {
  return !isState(event) && event.event.startsWith('prefect.') && !event.event.startsWith('prefect.task-run.');
}

function entryOf(record: LedgerRecord): TimelineEntry {
  return { kind: record.decision === 'deny' ? 'decision' : 'request', time: record.time, record };
}

/** A gap that began within the run belongs to it, even if Lictor noticed it later. */
function gapStart(record: LedgerRecord): string {
  return new Date(Date.parse(record.time) - (record.duration_ms ?? 0)).toISOString();
}

/** At the same millisecond a request comes before the state that it caused. */
function inOrder(a: TimelineEntry, b: TimelineEntry): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : Number(a.kind === 'state') - Number(b.kind === 'state');
}

/** An entry, its flow run, and how deep that run is nested. */
export interface NestedEntry {
  readonly entry: TimelineEntry;
  readonly depth: number;
  readonly flowRunId: string;
}

/** All entries in one time order, those of nested runs included. */
export function flatten(timeline: Timeline, depth = 0): readonly NestedEntry[] {
  const own = timeline.entries.map((entry): NestedEntry => ({ entry, depth, flowRunId: timeline.id }));
  const nested = timeline.entries.flatMap((entry) => (entry.kind === 'run' ? flatten(entry.timeline, depth + 1) : []));
  if (nested.length === 0) return own;
  // The line of a nested run comes before the run's first entry.
  return [...own, ...nested].sort((a, b) => (a.entry.time < b.entry.time ? -1 : a.entry.time > b.entry.time ? 1 : a.depth - b.depth));
}
