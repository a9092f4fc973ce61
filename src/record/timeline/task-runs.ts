// Task runs of a flow run, each from its events.
import type { PrefectEvent } from '../../contract/prefect-event.ts';

export interface TaskRun {
  readonly id: string;
  readonly name: string;
  /** When it was first heard of. */
  readonly time: string;
  /** `Completed`: its last state. */
  readonly state: string;
  /** `COMPLETED`. */
  readonly stateType: string | null;
  /** From its first Running to its end, milliseconds; null: it is under way, or never ran. */
  readonly durationMs: number | null;
  /** How often it ran. */
  readonly attempts: number;
}

const ENDED: readonly (string | null)[] = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'];

/** `events` in the order of time; those of other kinds are left out. */
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

/** Client events carry the state in their labels; the name says it, too. */
function typeOf({ state_type: type, event }: PrefectEvent): string | null {
  return type ?? event.slice('prefect.task-run.'.length).toUpperCase();
}

/** As records have it: milliseconds. */
export function shortTime(occurred: string): string {
  return occurred === '' ? '' : new Date(Date.parse(occurred)).toISOString();
}
