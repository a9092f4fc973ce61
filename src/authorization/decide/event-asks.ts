// The asks for an event of a sender with scopes: one for each object that the event names.
import type { Located } from '../../contract/decision.ts';
import { field, isObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { type Claims, readClaims } from '../../prefect/events/claims.ts';
import type { Ask } from './asks.ts';

const KINDS: readonly (readonly [prefix: string, type: ResourceType])[] = [
  ['prefect.flow-run.', 'FlowRun'],
  ['prefect.task-run.', 'TaskRun'],
  ['prefect.deployment.', 'Deployment'],
  ['prefect.flow.', 'Flow'],
  ['prefect.work-pool.', 'WorkPool'],
  ['prefect.work-queue.', 'WorkQueue'],
  ['prefect.variable.', 'Variable'],
  ['prefect.block-document.', 'BlockDocument'],
  ['prefect.automation.', 'Automation'],
  ['prefect.concurrency-limit.v1.', 'ConcurrencyLimit'],
  ['prefect.concurrency-limit.', 'ConcurrencyLimit'],
  ['prefect.artifact.', 'Artifact'],
];

/** Every object that the event names. */
export function objectsIn(event: JsonValue | undefined): readonly Located[] {
  const claims = readClaims(event);
  const named = typeof claims === 'string' ? [] : [...claims.resources.map(({ id }) => objectOf(id)), ...payloadObjects(claims)];
  return named.filter((object) => object !== undefined);
}

/**
 * An event that names no object of Prefect has no owner. Other rules refuse an invalid event. `isPart`: a flow, pool or queue of a run or
 * deployment that the same event names needs no ask.
 */
export function eventAsks(event: JsonValue | undefined, isPart: (object: Located) => boolean): readonly Ask[] {
  const objects = new Map(objectsIn(event).map((object) => [JSON.stringify(object), object] as const));
  const write = { action: 'events.write', resource: { type: 'Event', id: null } } as const;
  if (objects.size === 0) return [{ ...write, on: { kind: 'shared' } }];
  const runIsNamed = [...objects.values()].some(({ type }) => type === 'FlowRun');
  // Prefect learns of a task run by its first event: an absent one belongs to the named run.
  return [...objects.values()]
    .filter((object) => !isPart(object))
    .map((object) => {
      const orAbsent = object.type === 'TaskRun' && runIsNamed && parseUuid(object.id ?? '') !== undefined;
      return { ...write, on: { kind: 'related', object, orAbsent } };
    });
}

/** In Prefect's recorder the payload overrides the resource. */
function payloadObjects({ payload }: Claims): readonly (Located | undefined)[] {
  const task = field(payload, 'task_run');
  if (!isObject(task)) return [];
  const [id, run] = [field(task, 'id'), field(task, 'flow_run_id')];
  return [typeof id === 'string' ? objectOf(`prefect.task-run.${id}`) : undefined, typeof run === 'string' ? objectOf(`prefect.flow-run.${run}`) : undefined];
}

/** Undefined: it is no `prefect.KIND.UUID` of a known kind. */
export function objectNamed(text: string): Located | undefined {
  const object = objectOf(text);
  return object?.id === null || parseUuid(object?.id ?? '') === undefined ? undefined : object;
}

function objectOf(text: string): Located | undefined {
  const kind = KINDS.find(([prefix]) => text.startsWith(prefix));
  if (kind === undefined) return undefined;
  return { type: kind[1], id: parseUuid(text.slice(kind[0].length)) ?? text };
}
