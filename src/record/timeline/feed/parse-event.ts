// An event of Prefect (prefect/server/events/schemas/events.py) -> the fields that Lictor stores.

import { parseUuid } from '../../../contract/json/uuid.ts';
import { isFlowRunState, type PrefectEvent, type RelatedObject } from '../../../contract/prefect-event.ts';

/** Clients choose names, so longer text is cut. */
const LONGEST = 500;
const MOST_RELATED = 100;

/** Undefined: not a valid event. Takes only named fields: no payload, no message of a state. */
export function parseEvent(value: unknown): PrefectEvent | undefined {
  if (!isObject(value) || !isObject(value['resource'])) return undefined;
  const { resource } = value;
  const id = uuid(value['id']);
  const occurred = parseTime(value['occurred']);
  const event = text(value['event']);
  const resourceId = text(resource['prefect.resource.id']);
  if (id === undefined || occurred === null || event === null || resourceId === null) return undefined;
  const related = Array.isArray(value['related']) ? value['related'].slice(0, MOST_RELATED).flatMap((one) => parseRelated(one) ?? []) : [];
  return {
    ...{ id, occurred, received: parseTime(value['received']), event, resource_id: resourceId },
    resource_name: text(resource['prefect.resource.name']),
    ...stateOf({ event, resource_id: resourceId }, resource),
    ...objectsOf({ event, resource_id: resourceId }, related),
    follows: uuid(value['follows']) ?? null,
    related,
  };
}

/** RFC 3339 with microseconds in UTC. Null: not a time. */
export function parseTime(value: unknown): string | null {
  const given = typeof value === 'string' ? value : '';
  const ms = Date.parse(given);
  if (Number.isNaN(ms)) return null;
  const fraction = /\.(\d{1,9})/.exec(given)?.[1] ?? '';
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

/** A client can put state labels on other events, so those are ignored. */
function stateOf(about: EventSubject, resource: Readonly<Record<string, unknown>>): Pick<PrefectEvent, 'state_type' | 'state_name'> {
  const isState = isFlowRunState(about) || about.event.startsWith('prefect.task-run.');
  return { state_type: isState ? text(resource['prefect.state-type']) : null, state_name: isState ? text(resource['prefect.state-name']) : null };
}

type EventSubject = Pick<PrefectEvent, 'event' | 'resource_id'>;
type Objects = Pick<PrefectEvent, 'flow_run_id' | 'task_run_id' | 'deployment_id' | 'parent_task_run_id'>;

function objectsOf(about: EventSubject, related: readonly RelatedObject[]): Objects {
  const own = (kind: string) => idOf(kind, about.resource_id);
  const other = (kind: string) => related.map(({ id, role }) => (role === kind ? idOf(kind, id) : null)).find((id) => id !== null) ?? null;
  const flowRun = own('flow-run');
  return {
    flow_run_id: flowRun ?? other('flow-run'),
    task_run_id: own('task-run'),
    deployment_id: own('deployment') ?? other('deployment'),
    // Prefect relates a flow run to the task run that started it, and to no other.
    parent_task_run_id: isFlowRunState(about) ? other('task-run') : null,
  };
}

function idOf(kind: string, resourceId: string): string | null {
  const prefix = `prefect.${kind}.`;
  return resourceId.startsWith(prefix) ? (parseUuid(resourceId.slice(prefix.length)) ?? null) : null;
}

function parseRelated(value: unknown): RelatedObject | undefined {
  const id = isObject(value) ? text(value['prefect.resource.id']) : null;
  if (!isObject(value) || id === null) return undefined;
  return { id, role: text(value['prefect.resource.role']) ?? '', name: text(value['prefect.resource.name']) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null;
}

function uuid(value: unknown): string | undefined {
  return typeof value === 'string' ? parseUuid(value) : undefined;
}
