// Decides whether a principal may send an event: a frame on `/events/in`, or an item of `POST /events`.
//
// Prefect writes task runs from events, lets the payload override the resource, and checks neither names nor owners
// (services/task_run_recorder.py). Not checked here: whether an unbound sender (a worker's token) may send events about that run.

import { field, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { boundRuns, type Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { type Claims, readClaims } from './claims.ts';
import type { EventMemory } from './memory.ts';
import { looksLikeGateway, mayName } from './names.ts';

export type EventVerdict =
  | { readonly ok: true }
  /** `name`: of the event, if readable. `detail` quotes nothing of the event but field names. */
  | { readonly ok: false; readonly code: ReasonCode; readonly detail: string; readonly name: string | null };

/** `event`: the parsed event, which Lictor forwards if the verdict is ok. */
export type EventRules = (event: JsonValue | undefined, sender: Principal) => EventVerdict;

/** True for a run, and for the runs that it started as far as Lictor knows them. */
export type IsBelow = (own: string, run: string) => boolean;

/** `isBelow` left out: a run sends events only about itself. */
export function createEventRules(memory: EventMemory, isBelow: IsBelow = (own, run) => own === run): EventRules {
  return (event, sender) => {
    const claims = readClaims(event);
    if (typeof claims === 'string') return { ok: false, code: 'body-invalid', detail: claims, name: null };
    const refuse = (code: ReasonCode, detail: string): EventVerdict => ({ ok: false, code, detail, name: claims.name });
    const reserved = reservedIn(claims, sender);
    if (reserved !== undefined) return refuse('event-reserved', reserved);
    const task = isRecorded(claims) ? readTaskRun(claims) : undefined;
    if (typeof task === 'string') return refuse('event-foreign-run', task);
    const foreign = checkBinding(claims, boundRuns(sender), { memory, isBelow });
    if (foreign !== undefined) return refuse('event-foreign-run', foreign);
    if (!memory.claim(claims.id, sender.id)) return refuse('event-repeated', 'Another principal has sent an event with this id.');
    if (task?.flowRun !== undefined) memory.noteTaskRun(task.id, task.flowRun);
    return { ok: true };
  };
}

/** A sentence about a reserved name, label or id. */
function reservedIn(claims: Claims, { kind }: Principal): string | undefined {
  if (!mayName(kind, claims.name) || namesGateway(claims)) return 'This name, or what it is about, is for Prefect or the gateway to use.';
  if (hasGatewayLabel(claims)) return 'A label of resource or related has a name that is for the gateway to use.';
  return isGatewayId(claims.id) ? 'An id of version 8 is for the gateway to use.' : undefined;
}

/**
 * Lictor derives the ids of its events from its records (UUID version 8), and a refused client knows nearly all of their contents. A client
 * that sent such an id first would suppress Lictor's event. Stock clients use versions 4 and 7.
 */
function isGatewayId(id: string): boolean {
  return id[14] === '8';
}

/** On a run's page it would look like an event of Lictor. */
function namesGateway({ resources }: Claims): boolean {
  return resources.some(({ id }) => looksLikeGateway(id));
}

/** Lictor's own events name principals and actions in such labels, and users' automations match them. */
function hasGatewayLabel({ resources }: Claims): boolean {
  return resources.some(({ labels }) => labels.some(looksLikeGateway));
}

const FLOW_RUN = 'prefect.flow-run.';
const TASK_RUN = 'prefect.task-run.';

/** Prefect's recorder writes task runs from these events: it compares the beginning of the name, without the dot. */
function isRecorded({ name }: Claims): boolean {
  return name.startsWith('prefect.task-run');
}

interface TaskRun {
  readonly id: string;
  /** Undefined: a task outside of flows. */
  readonly flowRun: string | undefined;
}

/** Resource, related and payload must name one task run of one flow run, and one state. Stock clients name each once. */
function readTaskRun({ id, resources, payload }: Claims): TaskRun | string {
  const [resource, ...related] = resources;
  const taskRun = idAfter(TASK_RUN, resource?.id);
  if (taskRun === undefined) return `The resource of a task run's event must be ${TASK_RUN}UUID.`;
  const owner = related.find(({ role }) => role === 'flow-run');
  const flowRun = owner === undefined ? undefined : idAfter(FLOW_RUN, owner.id);
  if (owner !== undefined && flowRun === undefined) return `What is related as flow-run must be ${FLOW_RUN}UUID.`;
  if (disagrees(payload, 'task_run', 'id', taskRun)) return 'payload.task_run.id names another task run than the resource.';
  if (disagrees(payload, 'task_run', 'flow_run_id', flowRun)) return 'payload.task_run.flow_run_id names another flow run than related.';
  if (disagrees(payload, 'task_run', 'state_id', id)) return 'payload.task_run.state_id must be the id of the event.';
  if (disagrees(payload, 'validated_state', 'id', id)) return 'payload.validated_state.id must be the id of the event.';
  if (partOf(payload, 'task_run', 'state') !== undefined) return 'payload.task_run.state overrides the state that the event reports.';
  return { id: taskRun, flowRun };
}

interface Known {
  readonly memory: EventMemory;
  readonly isBelow: IsBelow;
}

/** A principal that is bound to runs sends events only about those, under any name. */
function checkBinding({ name, resources, payload }: Claims, runs: ReadonlySet<string> | null, { memory, isBelow }: Known): string | undefined {
  if (runs === null) return undefined;
  const isOwn = (flowRun: string | undefined): boolean => flowRun !== undefined && [...runs].some((own) => isBelow(own, flowRun));
  const named = resources.filter(({ id }) => id.startsWith(FLOW_RUN));
  if (!named.every(({ id }) => isOwn(idAfter(FLOW_RUN, id)))) return 'resource or related names a flow run that is not yours.';
  const claimed = partOf(payload, 'task_run', 'flow_run_id') ?? null;
  if (claimed !== null && !isOwn(parseUuid(claimed))) return 'payload.task_run.flow_run_id is not yours.';
  const tasks = resources.filter(({ id }) => id.startsWith(TASK_RUN)).map(({ id }) => idAfter(TASK_RUN, id));
  const isForeignTask = (task: string | undefined): boolean => task === undefined || !isOwn(memory.flowRunOf(task) ?? firstOf(runs));
  if (tasks.some(isForeignTask)) return 'resource or related names a task run that is not yours.';
  if (name.startsWith('prefect.task-run') && named.length === 0) return 'The event of a task run must be related to your flow run.';
  return undefined;
}

/** An unknown task run counts as the sender's own. */
function firstOf(runs: ReadonlySet<string>): string | undefined {
  return runs.values().next().value;
}

function idAfter(prefix: string, id: string | undefined): string | undefined {
  return id?.startsWith(prefix) === true ? parseUuid(id.slice(prefix.length)) : undefined;
}

function partOf(payload: Claims['payload'], part: string, key: string): JsonValue | undefined {
  return field(field(payload, part), key);
}

/** True when the key exists with another value. */
function disagrees(payload: Claims['payload'], part: string, key: string, expected: string | undefined): boolean {
  const value = partOf(payload, part, key);
  if (value === undefined) return false;
  return value === null ? expected !== undefined : expected === undefined || parseUuid(value) !== expected;
}
