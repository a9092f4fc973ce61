// Prefect's objects as entities: looked up by id or name, with what they are contained in.
//
// A task run is in its flow run, a flow run in its deployment and pool, a sub-flow's run in those of the run that started it.
import type { Located } from '../../contract/decision.ts';
import { bareEntity, type Entity } from '../../contract/entity.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, textsIn } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { Lookup } from './lookup.ts';
import { MAKER_LABEL } from './made-by.ts';

export interface Entities {
  /** Null: there is no such object. Throws UpstreamError when Prefect cannot be asked. */
  find(resource: Located): Promise<Entity | null>;
  /** The object with these fields laid over what it is, as Prefect names them. Null: there is no such object. */
  changed(resource: Located, fields: JsonObject): Promise<Entity | null>;
  /** An object of these fields that `owner` is about to make. */
  created(type: ResourceType, fields: JsonObject, owner: string): Promise<Entity>;
}

export interface EntityParts {
  readonly lookup: Lookup;
  /** For what never changes under one id: names of flows and deployments. */
  readonly lasting: Lookup;
  /** Who has made it through the gateway; null: not known. */
  readonly makerOf: (type: ResourceType, id: string) => Promise<string | null>;
}

export function createEntities(parts: EntityParts): Entities {
  const known = async (resource: Located, fields: JsonObject): Promise<Entity | null> => {
    const { type, id } = resource;
    if (id === null || NO_OBJECTS.includes(type)) return bareEntity(type, { id });
    if (type === 'WorkPool') return poolEntity(parts, resource);
    // Its pool is in the path, and that is all that counts of it.
    if (resource.within !== undefined && IN_POOL.includes(type)) return bareEntity(type, { name: id, workPool: resource.within });
    const found = await read(parts, resource);
    if (found === null) return null;
    const ownId = text(found, 'id');
    const owner = ownId === null ? null : await parts.makerOf(type, ownId);
    return describe(parts, type, { ...found, ...fields }, owner);
  };
  return {
    find: (resource) => known(resource, {}),
    changed: known,
    created: (type, fields, owner) => describe(parts, type, fields, owner),
  };
}

/** Nothing but its name counts, so that it need not be there. Events name pools by their ids. */
async function poolEntity({ lookup, makerOf }: EntityParts, { id, named }: Located): Promise<Entity> {
  const uuid = named === true ? undefined : parseUuid(id ?? '');
  const found = uuid === undefined ? [] : objects(await lookup('/api/work_pools/filter', { work_pools: { id: { any_: [uuid] } } }));
  const name = (found[0] === undefined ? null : text(found[0], 'name')) ?? id ?? '';
  return bareEntity('WorkPool', { id: name, name, workPool: name, owner: await makerOf('WorkPool', name) });
}

/** Kinds that are no team's objects. */
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
 * The new kind first: an old limit of tag T is the new one `tag:T` as well. Where the path or body says tag, there is no other. `within` name: it
 * reads as an id and is none, so that Prefect cannot be asked.
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
  const name = text(raw, 'name') ?? text(raw, 'tag');
  const pool = type === 'WorkPool' ? name : text(raw, 'work_pool_name');
  return Promise.resolve(
    bareEntity(type, {
      id: text(raw, 'id'),
      name: type === 'ConcurrencyLimit' ? withoutTag(name) : name,
      tags: textsIn(field(raw, 'tags')),
      workPool: pool,
      owner,
    }),
  );
}

/** Where runs that are started by runs end, at the latest. */
const DEEPEST = 20;

interface RunPlace {
  readonly type: ResourceType;
  readonly depth: number;
  /** For a run that is about to be made; the label of one that is there says more. */
  readonly owner: string | null;
}

async function runEntity(parts: EntityParts, raw: JsonObject, { type, depth, owner }: RunPlace): Promise<Entity> {
  const deployment = text(raw, 'deployment_id');
  const parent = deployment === null && depth < DEEPEST ? await taskRunOf(parts, text(raw, 'parent_task_run_id'), depth + 1) : null;
  const labels = labelsOf(raw);
  const state = field(raw, 'state');
  return bareEntity(type, {
    id: text(raw, 'id'),
    name: text(raw, 'name'),
    tags: textsIn(field(raw, 'tags')),
    workPool: text(raw, 'work_pool_name') ?? parent?.workPool ?? null,
    workQueue: text(raw, 'work_queue_name') ?? parent?.workQueue ?? null,
    flow: await flowName(parts, text(raw, 'flow_id')),
    deploymentId: deployment,
    deployment: deployment === null ? (parent?.deployment ?? null) : await deploymentName(parts, deployment),
    owner: labels[MAKER_LABEL] ?? owner,
    state: text(raw, 'state_type') ?? (isObject(state) ? text(state, 'type') : null),
    labels,
  });
}

async function taskRunOf(parts: EntityParts, id: string | null, depth: number): Promise<Entity | null> {
  const raw = id === null ? null : object(await parts.lookup(`/api/task_runs/${id}`));
  return raw === null ? null : containedEntity(parts, 'TaskRun', raw, { depth, owner: null });
}

/** With the attributes of its flow run; without one, with its own tags alone. */
async function containedEntity(
  parts: EntityParts,
  type: ResourceType,
  raw: JsonObject,
  { depth, owner }: { readonly depth: number; readonly owner: string | null },
): Promise<Entity> {
  const id = text(raw, 'id');
  const name = text(raw, 'name') ?? text(raw, 'key');
  const runId = text(raw, 'flow_run_id');
  const run = runId === null ? null : object(await parts.lookup(`/api/flow_runs/${runId}`));
  if (run !== null) return { ...(await runEntity(parts, run, { type, depth, owner })), id, name, state: text(raw, 'state_type') };
  const task = type === 'Artifact' && runId === null ? await taskRunOf(parts, text(raw, 'task_run_id'), depth + 1) : null;
  if (task !== null) return { ...task, type, id, name };
  return bareEntity(type, { id, name, tags: runId === null ? textsIn(field(raw, 'tags')) : [], owner });
}

async function deploymentEntity(parts: EntityParts, raw: JsonObject, owner: string | null): Promise<Entity> {
  const flow = await flowName(parts, text(raw, 'flow_id'));
  const name = text(raw, 'name');
  return bareEntity('Deployment', {
    id: text(raw, 'id'),
    name,
    tags: textsIn(field(raw, 'tags')),
    workPool: text(raw, 'work_pool_name'),
    workQueue: text(raw, 'work_queue_name'),
    flow,
    deployment: flow === null || name === null ? null : `${flow}/${name}`,
    owner,
    labels: labelsOf(raw),
  });
}

/** As many as Prefect lists at once; a flow of more is known by these, and changed by nobody whose scope asks for its uses. */
const MOST_DEPLOYMENTS = 200;
const LATEST_RUNS = 20;

async function flowEntity(parts: EntityParts, raw: JsonObject, owner: string | null): Promise<Entity> {
  const id = text(raw, 'id');
  const name = text(raw, 'name');
  const bare = bareEntity('Flow', { id, name, flow: name, owner, labels: labelsOf(raw) });
  if (id === null) return bare;
  const of = { flows: { id: { any_: [id] } } };
  const deployments = objects(await parts.lookup('/api/deployments/filter', { ...of, limit: MOST_DEPLOYMENTS }));
  const runs = objects(await parts.lookup('/api/flow_runs/filter', { ...of, limit: LATEST_RUNS, sort: 'START_TIME_DESC' }));
  const uses = [
    ...deployments.map((deployment) => deploymentEntity(parts, deployment, null)),
    ...runs.map((run) => runEntity(parts, run, { type: 'FlowRun', depth: 0, owner: null })),
  ];
  return { ...bare, uses: await Promise.all(uses), hasMoreUses: deployments.length >= MOST_DEPLOYMENTS || runs.length >= LATEST_RUNS };
}

async function flowName({ lasting }: EntityParts, id: string | null): Promise<string | null> {
  const flow = id === null ? null : object(await lasting(`/api/flows/${id}`));
  return flow === null ? null : text(flow, 'name');
}

async function deploymentName(parts: EntityParts, id: string): Promise<string | null> {
  const deployment = object(await parts.lasting(`/api/deployments/${id}`));
  return deployment === null ? null : (await deploymentEntity(parts, deployment, null)).deployment;
}

/** The new spelling of an old limit. */
function withoutTag(name: string | null): string | null {
  return name?.startsWith('tag:') === true ? name.slice('tag:'.length) : name;
}

function text(raw: JsonObject, key: string): string | null {
  const value = field(raw, key);
  return typeof value === 'string' ? value : null;
}

function labelsOf(raw: JsonObject): Readonly<Record<string, string>> {
  const labels = field(raw, 'labels');
  return isObject(labels) ? Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : []))) : {};
}

function object(value: JsonValue | null): JsonObject | null {
  return isObject(value) ? value : null;
}

function objects(value: JsonValue | null): readonly JsonObject[] {
  return isList(value) ? value.filter((item) => isObject(item)) : [];
}
