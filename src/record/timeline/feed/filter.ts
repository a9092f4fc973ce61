// Which events of Prefect are stored, in the words of its filters (prefect/server/events/filters.py).

/** What happens to runs, and what makes them. */
const PREFIXES: readonly string[] = [
  'prefect.flow-run.',
  'prefect.task-run.',
  'prefect.worker.',
  'prefect.deployment.',
  'prefect.automation.',
  'prefect.work-pool.',
  'prefect.work-queue.',
];

/** Signs of life: many, and nothing happened. The names alone: what only begins like them is a state that an author named. */
const WITHOUT: readonly string[] = ['prefect.flow-run.heartbeat', 'prefect.worker.heartbeat'];

/** By which Prefect's log, and tests, know the gateway's own questions. */
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
