// The task runs of a flow run, from its events.
import type { PrefectEvent } from '../../contract/prefect-event.ts';

export interface TaskRun {
  readonly id: string;
  readonly name: string;
  /** The time of its first event. */
  readonly time: string;
  /** The last state, for example `Completed`. */
  readonly state: string;
  readonly stateType: string | null;
  /** From the first Running to the end, milliseconds. Null: it has not ended, or never ran. */
  readonly durationMs: number | null;
  readonly attempts: number;
}

export const ENDED: readonly (string | null)[] = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'];

/** `events` in time order. Events of other kinds are ignored. */
export function taskRunsOf(events: readonly PrefectEvent[]): readonly TaskRun[] {
  const byTask = new Map<string, PrefectEvent[]>();
  for (const event of events) {
    if (event.task_run_id === null || !event.event.startsWith('prefect.task-run.')) continue;
    const own = byTask.get(event.task_run_id);
    if (own === undefined) byTask.set(event.task_run_id, [event]);
    else own.push(event);
  }
  return [...byTask].map(([id, own]) => taskRun(id, own));
}

function taskRun(id: string, events: readonly PrefectEvent[]): TaskRun {
  const running = events.filter((event) => typeOf(event) === 'RUNNING');
  const last = events.findLast((event) => event.state_name !== null) ?? events.at(-1);
  const isOver = last !== undefined && ENDED.includes(typeOf(last));
  const began = running[0]?.occurred;
  return {
    id,
    name: events.find(({ resource_name: name }) => name !== null)?.resource_name ?? id,
    time: shortTime(events[0]?.occurred ?? ''),
    state: last?.state_name ?? last?.event.slice('prefect.task-run.'.length) ?? '',
    stateType: last === undefined ? null : typeOf(last),
    durationMs: isOver && began !== undefined ? Math.max(0, Date.parse(last.occurred) - Date.parse(began)) : null,
    attempts: running.length,
  };
}

/** Events of clients have the state in a label. Its name has it too. */
function typeOf({ state_type: type, event }: PrefectEvent): string | null {
  return type ?? event.slice('prefect.task-run.'.length).toUpperCase();
}

/** Milliseconds, as in records. */
export function shortTime(occurred: string): string {
  return occurred === '' ? '' : new Date(Date.parse(occurred)).toISOString();
}
