// The stored part of one event of Prefect: what happened, when, to what. Payloads and messages of states come from flows, and are not stored.

export interface PrefectEvent {
  /** Prefect's own; that of a state is the state's. */
  readonly id: string;
  /** RFC 3339 in UTC, microseconds: Prefect's order within a millisecond counts. */
  readonly occurred: string;
  /** The same; null: Prefect did not say. */
  readonly received: string | null;
  /** `prefect.flow-run.Completed`. */
  readonly event: string;
  readonly resource_id: string;
  readonly resource_name: string | null;
  readonly state_type: string | null;
  readonly state_name: string | null;
  /** Lower case, hyphenated; of what the event is about, or is related to. */
  readonly flow_run_id: string | null;
  readonly task_run_id: string | null;
  readonly deployment_id: string | null;
  /** Of a flow run: the task run in which another flow run started it. */
  readonly parent_task_run_id: string | null;
  /** The event that it came after. */
  readonly follows: string | null;
  readonly related: readonly RelatedObject[];
}

export interface RelatedObject {
  readonly id: string;
  readonly role: string;
  readonly name: string | null;
}

/** How far the events of Prefect are stored. */
export interface EventsMark {
  /** RFC 3339 in UTC, milliseconds: what occurred before is here, as far as Prefect has reported. */
  readonly position: string;
  /** When this was so. */
  readonly at: string;
  /** How many of Prefect's servers stream their events now, of how many. */
  readonly streams: number;
  readonly servers: number;
  /** Why Lictor receives no events; null: it does. */
  readonly problem: string | null;
}

const OF_FLOW_RUN = 'prefect.flow-run.';
/** Events that the code of a flow may report, with any labels (events/names.ts). All other names belong to Prefect. */
const BY_CLIENTS: readonly string[] = ['heartbeat', 'pull-step.executed', 'pull-step.failed'];

/** True for a state of a flow run. Only Prefect's server reports it, so its related objects (the run that started it, its creator) are true too. */
export function isFlowRunState({ event, resource_id: id }: Pick<PrefectEvent, 'event' | 'resource_id'>): boolean {
  return event.startsWith(OF_FLOW_RUN) && id.startsWith(OF_FLOW_RUN) && !BY_CLIENTS.includes(event.slice(OF_FLOW_RUN.length));
}

/** The name of a state is in the name of its event. With one of these names, the event would count as a heartbeat, which is not stored, or as a client's claim. */
export function isReservedStateName(name: string): boolean {
  return BY_CLIENTS.includes(name);
}
