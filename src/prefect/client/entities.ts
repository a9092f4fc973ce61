// Prefect's objects as entities, looked up by id or name, with the objects that contain them.
//
// A flow run contains its task runs. A deployment and a pool contain their flow runs, and the sub-flow runs that those start.
import type { Located } from '../../contract/decision.ts';
import { bareEntity, type Entity } from '../../contract/entity.ts';
import { field, isObject, type JsonObject, type JsonValue, objectsIn, textsIn } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { textField } from './answer.ts';
import { CREATOR_LABEL } from './initiators.ts';
import type { Lookup } from './lookup.ts';

export interface Entities {
  /** Null: the object does not exist. Throws UpstreamError when Prefect does not answer. */
  find(resource: Located): Promise<Entity | null>;
  /** The object after a change of these fields, as Prefect names them. Null: the object does not exist. */
  changed(resource: Located, fields: JsonObject): Promise<Entity | null>;
  /** An object with these fields that `owner` is about to create. */
  created(type: ResourceType, fields: JsonObject, owner: string): Promise<Entity>;
}

export interface EntityParts {
  readonly lookup: Lookup;
  /** For values that never change under one id: names of flows and deployments. */
  readonly lasting: Lookup;
  /** The principal that created it through the gateway; null: unknown. */
  readonly makerOf: (type: ResourceType, id: string) => Promise<string | null>;
}

export function createEntities(parts: EntityParts): Entities {
  const known = async (resource: Located, fields: JsonObject): Promise<Entity | null> => {
    const { type, id } = resource;
    if (id === null || NO_OBJECTS.includes(type)) return bareEntity(type, { id });
    if (type === 'WorkPool') return poolEntity(parts, resource);
    // The path names the pool, and scopes read nothing else of these.
    if (resource.within !== undefined && IN_POOL.includes(type)) return bareEntity(type, { name: id, workPool: resource.within });
    const found = await read(parts, resource);
    if (found === null) return null;
    const ownId = textField(found, 'id');
    const owner = ownId === null ? null : await parts.makerOf(type, ownId);
    return describe(parts, type, { ...found, ...fields }, owner);
  };
  return {
    find: (resource) => known(resource, {}),
    changed: known,
    created: (type, fields, owner) => describe(parts, type, fields, owner),
  };
}

/** Scopes read only the name of a pool, so the pool need not exist. Events name pools by their ids. */
async function poolEntity({ lookup, makerOf }: EntityParts, { id, named }: Located): Promise<Entity> {
  const uuid = named === true ? undefined : parseUuid(id);
  const [found] = uuid === undefined ? [] : objectsIn(await lookup('/api/work_pools/filter', { work_pools: { id: { any_: [uuid] } } }));
  const name = textField(found, 'name') ?? id ?? '';
  return bareEntity('WorkPool', { id: name, name, workPool: name, owner: await makerOf('WorkPool', name) });
}

/** Kinds whose objects belong to no team. */
const NO_OBJECTS: readonly ResourceType[] = ['System', 'BlockType', 'Collection', 'Ui', 'SavedSearch', 'Log', 'Event'];
const IN_POOL: readonly ResourceType[] = ['WorkQueue', 'Worker'];

const NOUN: Readonly<Partial<Record<ResourceType, string>>> = {
  Flow: 'flows',
  FlowRun: 'flow_runs',
  TaskRun: 'task_runs',
  Deployment: 'deployments',
  WorkQueue: 'work_queues',
  Artifact: 'artifacts',
  Variable: 'variables',
  BlockDocument: 'block_documents',
  Automation: 'automations',
};

async function read({ lookup }: EntityParts, { type, id, within, named }: Located): Promise<JsonObject | null> {
  const given = id ?? '';
  const name = encodeURIComponent(given);
  if (type === 'ConcurrencyLimit') return readLimit(lookup, given, within);
  const uuid = named === true ? undefined : parseUuid(given);
  if (uuid !== undefined && within === undefined) return object(await lookup(`/api/${NOUN[type] ?? ''}/${uuid}`));
  if (type === 'Deployment' && within !== undefined) return object(await lookup(`/api/deployments/name/${encodeURIComponent(within)}/${name}`));
  if (type === 'BlockDocument' && within !== undefined)
    return object(await lookup(`/api/block_types/slug/${encodeURIComponent(within)}/block_documents/name/${name}`));
  if (type === 'Artifact') return object(await lookup(`/api/artifacts/${name}/latest`));
  if (type === 'Flow' || type === 'Variable' || type === 'WorkQueue') return object(await lookup(`/api/${NOUN[type] ?? ''}/name/${name}`));
  return null;
}

/**
 * Looks for a new limit first: an old limit of tag T is also the new limit `tag:T`. `within`: `tag` for an old limit only; `name` for a name
 * that reads as an id, which Prefect cannot look up.
 */
export async function readLimit(lookup: Lookup, given: string, within: string | undefined): Promise<JsonObject | null> {
  if (within === 'name') return null;
  const uuid = within === 'tag' ? undefined : parseUuid(given);
  const name = encodeURIComponent(given);
  const found = within === 'tag' ? null : object(await lookup(`/api/v2/concurrency_limits/${uuid ?? name}`));
  if (found !== null) return found;
  return object(await lookup(uuid === undefined ? `/api/concurrency_limits/tag/${name}` : `/api/concurrency_limits/${uuid}`));
}

function describe(parts: EntityParts, type: ResourceType, raw: JsonObject, owner: string | null): Promise<Entity> {
  if (type === 'FlowRun') return runEntity(parts, raw, { type, depth: 0, owner });
  if (type === 'Deployment') return deploymentEntity(parts, raw, owner);
  if (type === 'Flow') return flowEntity(parts, raw, owner);
  if (type === 'TaskRun' || type === 'Artifact') return containedEntity(parts, type, raw, { depth: 0, owner });
  const name = textField(raw, 'name') ?? textField(raw, 'tag');
  const pool = type === 'WorkPool' ? name : textField(raw, 'work_pool_name');
  return Promise.resolve(
    bareEntity(type, {
      id: textField(raw, 'id'),
      name: type === 'ConcurrencyLimit' ? withoutTag(name) : name,
      tags: textsIn(field(raw, 'tags')),
      workPool: pool,
      owner,
    }),
  );
}

/** The longest chain of runs that started each other. */
const DEEPEST = 20;

interface RunPlace {
  readonly type: ResourceType;
  readonly depth: number;
  /** For a new run. The label of an existing run takes precedence. */
  readonly owner: string | null;
}

async function runEntity(parts: EntityParts, raw: JsonObject, { type, depth, owner }: RunPlace): Promise<Entity> {
  const deployment = textField(raw, 'deployment_id');
  const parent = deployment === null && depth < DEEPEST ? await taskRunOf(parts, textField(raw, 'parent_task_run_id'), depth + 1) : null;
  const labels = labelsOf(raw);
  return bareEntity(type, {
    id: textField(raw, 'id'),
    name: textField(raw, 'name'),
    tags: textsIn(field(raw, 'tags')),
    workPool: textField(raw, 'work_pool_name') ?? parent?.workPool ?? null,
    workQueue: textField(raw, 'work_queue_name') ?? parent?.workQueue ?? null,
    flow: await flowName(parts, textField(raw, 'flow_id')),
    deploymentId: deployment,
    deployment: deployment === null ? (parent?.deployment ?? null) : await deploymentName(parts, deployment),
    owner: labels[CREATOR_LABEL] ?? owner,
    state: textField(raw, 'state_type') ?? textField(field(raw, 'state'), 'type'),
    labels,
  });
}

async function taskRunOf(parts: EntityParts, id: string | null, depth: number): Promise<Entity | null> {
  const raw = id === null ? null : object(await parts.lookup(`/api/task_runs/${id}`));
  return raw === null ? null : containedEntity(parts, 'TaskRun', raw, { depth, owner: null });
}

/** With the attributes of its flow run. Without a flow run, only with its own tags. */
async function containedEntity(
  parts: EntityParts,
  type: ResourceType,
  raw: JsonObject,
  { depth, owner }: { readonly depth: number; readonly owner: string | null },
): Promise<Entity> {
  const id = textField(raw, 'id');
  const name = textField(raw, 'name') ?? textField(raw, 'key');
  const runId = textField(raw, 'flow_run_id');
  const run = runId === null ? null : object(await parts.lookup(`/api/flow_runs/${runId}`));
  if (run !== null) return { ...(await runEntity(parts, run, { type, depth, owner })), id, name, state: textField(raw, 'state_type') };
  const task = type === 'Artifact' && runId === null ? await taskRunOf(parts, textField(raw, 'task_run_id'), depth + 1) : null;
  if (task !== null) return { ...task, type, id, name };
  return bareEntity(type, { id, name, tags: runId === null ? textsIn(field(raw, 'tags')) : [], owner });
}

async function deploymentEntity(parts: EntityParts, raw: JsonObject, owner: string | null): Promise<Entity> {
  const flow = await flowName(parts, textField(raw, 'flow_id'));
  const name = textField(raw, 'name');
  return bareEntity('Deployment', {
    id: textField(raw, 'id'),
    name,
    tags: textsIn(field(raw, 'tags')),
    workPool: textField(raw, 'work_pool_name'),
    workQueue: textField(raw, 'work_queue_name'),
    flow,
    deployment: flow === null || name === null ? null : `${flow}/${name}`,
    owner,
    labels: labelsOf(raw),
  });
}

/** Prefect's own limit of a list. A principal whose scope depends on the uses of a flow cannot change a flow with more. */
const MOST_DEPLOYMENTS = 200;
const LATEST_RUNS = 20;

async function flowEntity(parts: EntityParts, raw: JsonObject, owner: string | null): Promise<Entity> {
  const id = textField(raw, 'id');
  const name = textField(raw, 'name');
  const bare = bareEntity('Flow', { id, name, flow: name, owner, labels: labelsOf(raw) });
  if (id === null) return bare;
  const of = { flows: { id: { any_: [id] } } };
  const deployments = objectsIn(await parts.lookup('/api/deployments/filter', { ...of, limit: MOST_DEPLOYMENTS }));
  const runs = objectsIn(await parts.lookup('/api/flow_runs/filter', { ...of, limit: LATEST_RUNS, sort: 'START_TIME_DESC' }));
  const uses = [
    ...deployments.map((deployment) => deploymentEntity(parts, deployment, null)),
    ...runs.map((run) => runEntity(parts, run, { type: 'FlowRun', depth: 0, owner: null })),
  ];
  return { ...bare, uses: await Promise.all(uses), hasMoreUses: deployments.length >= MOST_DEPLOYMENTS || runs.length >= LATEST_RUNS };
}

async function flowName({ lasting }: EntityParts, id: string | null): Promise<string | null> {
  return id === null ? null : textField(await lasting(`/api/flows/${id}`), 'name');
}

async function deploymentName(parts: EntityParts, id: string): Promise<string | null> {
  const deployment = object(await parts.lasting(`/api/deployments/${id}`));
  return deployment === null ? null : (await deploymentEntity(parts, deployment, null)).deployment;
}

/** The tag of an old limit, from its new name. */
function withoutTag(name: string | null): string | null {
  return name?.startsWith('tag:') === true ? name.slice('tag:'.length) : name;
}

function labelsOf(raw: JsonObject): Readonly<Record<string, string>> {
  const labels = field(raw, 'labels');
  return isObject(labels) ? Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : []))) : {};
}

function object(value: JsonValue | null): JsonObject | null {
  return isObject(value) ? value : null;
}
