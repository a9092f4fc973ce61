// Which rights an event needs of a sender whose roles hold on some objects only: one for each object that it names.
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
 * An event that names no object of Prefect has no owner. Other rules refuse what is no event. `isPart`: of those flows, pools and
 * queues that are part of a run or deployment beside them nothing is asked.
 */
export function eventAsks(event: JsonValue | undefined, isPart: (object: Located) => boolean): readonly Ask[] {
  const objects = new Map(objectsIn(event).map((object) => [JSON.stringify(object), object] as const));
  const write = { action: 'events.write', resource: { type: 'Event', id: null } } as const;
  if (objects.size === 0) return [{ ...write, on: { kind: 'shared' } }];
  const runIsNamed = [...objects.values()].some(({ type }) => type === 'FlowRun');
  // A task run begins with its first event: one that is not there yet is of the run that is named.
  return [...objects.values()]
    .filter((object) => !isPart(object))
    .map((object) => {
      const orAbsent = object.type === 'TaskRun' && runIsNamed && parseUuid(object.id ?? '') !== undefined;
      return { ...write, on: { kind: 'related', object, orAbsent } };
    });
}

/** Prefect's recorder believes the payload rather than the resource. */
function payloadObjects({ payload }: Claims): readonly (Located | undefined)[] {
  const task = field(payload, 'task_run');
  if (!isObject(task)) return [];
  const [id, run] = [field(task, 'id'), field(task, 'flow_run_id')];
  return [typeof id === 'string' ? objectOf(`prefect.task-run.${id}`) : undefined, typeof run === 'string' ? objectOf(`prefect.flow-run.${run}`) : undefined];
}

/** Undefined: it is no `prefect.KIND.UUID` of a kind that is known. */
export function objectNamed(text: string): Located | undefined {
  const object = objectOf(text);
  return object?.id === null || parseUuid(object?.id ?? '') === undefined ? undefined : object;
}

function objectOf(text: string): Located | undefined {
  const kind = KINDS.find(([prefix]) => text.startsWith(prefix));
  if (kind === undefined) return undefined;
  return { type: kind[1], id: parseUuid(text.slice(kind[0].length)) ?? text };
}
