// The events that Lictor stores, as Prefect's event filter (prefect/server/events/filters.py).

/** Events of runs, and of the objects that start them. */
const PREFIXES: readonly string[] = [
  'prefect.flow-run.',
  'prefect.task-run.',
  'prefect.worker.',
  'prefect.deployment.',
  'prefect.automation.',
  'prefect.work-pool.',
  'prefect.work-queue.',
];

/** Heartbeats are many and change nothing. Exact names, because a user's state name may begin the same way. */
const WITHOUT: readonly string[] = ['prefect.flow-run.heartbeat', 'prefect.worker.heartbeat'];

/** Prefect's log and tests identify the gateway's own queries by this name. */
export const FEED_AGENT = 'lictor-events';

export interface EventFilter {
  readonly occurred: { readonly since: string; readonly until: string };
  readonly event: { readonly prefix: readonly string[]; readonly exclude_name: readonly string[] };
  readonly order: 'ASC';
}

/** Both ends are inclusive. */
export function eventFilter(sinceMs: number, untilMs: number): EventFilter {
  return {
    occurred: { since: new Date(sinceMs).toISOString(), until: new Date(untilMs).toISOString() },
    event: { prefix: PREFIXES, exclude_name: WITHOUT },
    order: 'ASC',
  };
}
