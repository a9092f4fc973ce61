// Makes a timeline readable: reads and reports between two changes become one line with a count.
import { CONNECT_ACTION } from '../../contract/destination.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { TaskRun } from './task-runs.ts';
import type { NestedEntry } from './timeline.ts';

/** One line of the readable form: an entry, or `count` similar ones between `entry` and `until`. */
export interface TimelineLine extends NestedEntry {
  readonly count: number;
  readonly until: string;
}

const CSRF_ACTION = 'system.csrf';

/** Up to this number, task runs of one name have a line each. */
const FEW_TASKS = 5;

/**
 * Folds chatter: reads, logs, heartbeats and probes for CSRF tokens that succeeded. One line has one run, principal, address, action, status and binding, and
 * ends at the next change. Also folds many completed task runs of one name. Changes, refusals and failures are never folded.
 */
export function groupChatter(entries: readonly NestedEntry[]): readonly TimelineLine[] {
  const many = manyTasks(entries);
  const lines: { entry: NestedEntry; count: number; until: string }[] = [];
  const tasks = new Map<string, number>();
  let open = new Map<string, number>();
  for (const entry of entries) {
    const [key, group] = [keyOf(entry, many), entry.entry.kind === 'task' ? tasks : open];
    const line = key === undefined ? undefined : lines[group.get(key) ?? -1];
    if (line !== undefined) {
      line.count += 1;
      line.until = endOf(entry, line.until);
      continue;
    }
    if (key === undefined) open = new Map();
    else group.set(key, lines.length);
    lines.push({ entry, count: 1, until: endOf(entry, entry.entry.time) });
  }
  return lines.map(({ entry, ...more }) => ({ ...entry, ...more }));
}

function keyOf({ entry, flowRunId }: NestedEntry, many: ReadonlySet<string>): string | undefined {
  if (entry.kind === 'task') {
    const key = taskKey(entry.task, flowRunId);
    return entry.task.stateType === 'COMPLETED' && many.has(key) ? key : undefined;
  }
  if (entry.kind !== 'request' || !isChatter(entry.record)) return undefined;
  const { principal, source_ip, action, service, resource_id, status, run_binding } = entry.record;
  const where = action === CONNECT_ACTION ? resource_id : service;
  return JSON.stringify([flowRunId, principal, source_ip, action, where, status, run_binding]);
}

function endOf({ entry }: NestedEntry, before: string): string {
  const endMs = entry.kind === 'task' ? Date.parse(entry.time) + (entry.task.durationMs ?? 0) : Date.parse(entry.time);
  return endMs > Date.parse(before) ? new Date(endMs).toISOString() : before;
}

function manyTasks(entries: readonly NestedEntry[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { entry, flowRunId } of entries) {
    if (entry.kind !== 'task') continue;
    const key = taskKey(entry.task, flowRunId);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count > FEW_TASKS).map(([key]) => key));
}

function taskKey({ name }: TaskRun, flowRunId: string): string {
  return JSON.stringify([flowRunId, commonName(name)]);
}

/** `work-3fa` and `work-12` are runs of the task `work`. */
export function commonName(name: string): string {
  return name.replace(/-[0-9a-f]{1,4}$/, '');
}

/** Requests that decide by their body are mediated. So a direct request changes at most the run's own reports. */
export function isChatter(record: LedgerRecord): boolean {
  const { path_taken, method, status } = record;
  if (isCsrfProbe(record)) return true;
  const looked = path_taken === 'direct' || method === 'GET' || method === 'HEAD';
  return looked && status !== 101 && status !== null && status < 400;
}

/** Each client asks once whether Prefect needs CSRF tokens. The answer 422 means no, and is no failure. */
function isCsrfProbe({ action, decision, status }: LedgerRecord): boolean {
  return action === CSRF_ACTION && decision === 'allow' && (status === 200 || status === 422);
}
