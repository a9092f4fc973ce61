// What machines write on the direct path, for those whose roles hold on some objects only: the body names the run, limit or deployment.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid, readsAsUuid } from '../../contract/json/uuid.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, type Planned, planned } from './family.ts';
import { distinctAsks } from './references.ts';

export const createLogs: Family = {
  operations: ['create_logs_logs__post'],
  maxBytes: 16 * MEBIBYTE,
  plan: (call) => planItems(call, isList(call.tree) ? call.tree : undefined, 'a list of logs'),
};

export const createArtifact: Family = {
  operations: ['create_artifact_artifacts__post'],
  maxBytes: 16 * MEBIBYTE,
  plan(call) {
    const artifact = isObject(call.tree) ? call.tree : undefined;
    return planItems(call, artifact === undefined ? undefined : [artifact], 'an artifact', artifact === undefined ? [] : keyAsks(call, artifact));
  },
};

export const createTaskRun: Family = {
  operations: ['create_task_run_task_runs__post'],
  maxBytes: 8 * MEBIBYTE,
  plan(call) {
    const { tree } = call;
    if (!isObject(tree)) return invalid('The body must be a task run.');
    const each = planItems(call, [tree], 'a task run');
    return each.ok ? planned({ ...each.plan, rewrite: () => withoutForeignInState(tree) }) : each;
  },
};

/** The latest of a key is what everybody is shown: it must be the writer's own, or none. */
function keyAsks(call: Call, artifact: JsonObject): readonly Ask[] {
  const key = field(artifact, 'key') ?? null;
  if (typeof key !== 'string') return [];
  return [
    { action: call.operation.action, resource: ownResource(call), on: { kind: 'related', object: { type: 'Artifact', id: key, named: true }, orAbsent: true } },
  ];
}

const SHARED = { kind: 'shared' } as const;

function planItems(call: Call, items: readonly JsonValue[] | undefined, what: string, further: readonly Ask[] = []): Planned {
  if (items === undefined || !items.every(isObject)) return invalid(`The body must be ${what}.`);
  const own: Ask = { action: call.operation.action, resource: ownResource(call) };
  const asks = items.length === 0 ? [{ ...own, on: SHARED }] : items.flatMap((item) => runAsks(own, item));
  return planned({ asks: distinctAsks([...asks, ...further]), intent: false, rewrite: () => call.tree });
}

/** Both runs that it names. What names none is of nobody's run, and of whoever wrote it. */
function runAsks(own: Ask, item: JsonObject): readonly Ask[] {
  const named = (['flow_run_id', 'task_run_id'] as const).flatMap((key) => {
    const value = field(item, key) ?? null;
    if (value === null) return [];
    const id = typeof value === 'string' ? (parseUuid(value) ?? value) : 'no id';
    return [{ key, object: { type: key === 'flow_run_id' ? 'FlowRun' : 'TaskRun', id } as const }];
  });
  if (named.length === 0) return [{ ...own, on: own.resource.type === 'Log' ? SHARED : { kind: 'created', fields: { tags: field(item, 'tags') ?? [] } } }];
  const runIsNamed = named.some(({ key }) => key === 'flow_run_id');
  // Task runs are recorded by their events, which may come after their first log.
  return named.map(({ key, object }) => ({ ...own, on: { kind: 'related', object, orAbsent: key === 'task_run_id' && runIsNamed } }));
}

/**
 * It names neither a lease nor a holder: what it lets go of is whoever's. No code of the stock clients 3.6.13 to 3.9.1 calls it (concurrency() and tasks
 * release by lease, the old routes by task run), so that what a run has taken without a lease need not be known to let it go on.
 */
const RELEASE_BY_NUMBER = 'bulk_decrement_active_slots_v2_concurrency_limits_decrement_post';
const BY_LEASE =
  "A run releases concurrency slots by their lease alone (increment-with-lease, decrement-with-lease), as Prefect's own concurrency() does: by their number they may be another run's.";

/** Limits that are not there hold nobody back: taking slots of them is nothing. */
export const takeSlots: Family = {
  operations: [
    'increment_concurrency_limits_v1_concurrency_limits_increment_post',
    'decrement_concurrency_limits_v1_concurrency_limits_decrement_post',
    'bulk_increment_active_slots_v2_concurrency_limits_increment_post',
    'bulk_increment_active_slots_with_lease_v2_concurrency_limits_increment_with_lease_post',
    RELEASE_BY_NUMBER,
  ],
  maxBytes: MEBIBYTE,
  plan(call) {
    const names = field(call.tree, 'names');
    if (!isList(names) || !names.every((name) => typeof name === 'string')) return invalid('names must be a list of names.');
    const create = isObject(call.tree) && (field(call.tree, 'create_if_missing') ?? false) !== false;
    const own: Ask = { action: call.operation.action, resource: ownResource(call) };
    // The old routes take the limits of these tags.
    const isOfTags = !call.operation.path.includes('/v2/');
    const limits = names.map((name): Ask => limitAsk(own, name, { isOfTags, mayBeAbsent: !create }));
    const asks = [...limits, ...holderAsks(own, call.tree)];
    return planned({
      asks: asks.length === 0 ? [{ ...own, on: SHARED }] : distinctAsks(asks),
      intent: false,
      rewrite: () => call.tree,
      objection: ({ kind }) => (kind === 'run' && call.operation.operationId === RELEASE_BY_NUMBER ? { code: 'run-bound', detail: BY_LEASE } : undefined),
    });
  },
};

/** A name that reads as an id is one to Prefect where it is asked for: whether there is a limit so named cannot be known, so the name alone decides. */
function limitAsk(own: Ask, name: string, { isOfTags, mayBeAbsent }: { readonly isOfTags: boolean; readonly mayBeAbsent: boolean }): Ask {
  const limit = { type: 'ConcurrencyLimit', id: name } as const;
  if (!isOfTags && readsAsUuid(name)) return { ...own, on: { kind: 'related', object: { ...limit, within: 'name' } } };
  return { ...own, on: { kind: 'related', object: { ...limit, ...(isOfTags && { within: 'tag' }) }, orAbsent: mayBeAbsent } };
}

/** Whose slots they are: the new routes name a holder, the old ones a task run. It may be reported later. */
function holderAsks(own: Ask, tree: JsonValue | undefined): readonly Ask[] {
  const holder = field(tree, 'holder');
  const task = field(tree, 'task_run_id') ?? null;
  const named = isObject(holder) ? [{ type: HOLDERS.get(String(field(holder, 'type'))), id: field(holder, 'id') ?? null }] : [];
  return [...named, ...(task === null ? [] : [{ type: 'TaskRun' as const, id: task }])].flatMap(({ type, id }) =>
    type === undefined || typeof id !== 'string' ? [] : [{ ...own, on: { kind: 'related', object: { type, id: parseUuid(id) ?? id }, orAbsent: true } }],
  );
}

const HOLDERS: ReadonlyMap<string, 'FlowRun' | 'TaskRun'> = new Map([
  ['flow_run', 'FlowRun'],
  ['task_run', 'TaskRun'],
]);

export const pollDeployments: Family = {
  operations: ['get_scheduled_flow_runs_for_deployments_deployments_get_scheduled_flow_runs_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const ids = field(call.tree, 'deployment_ids');
    if (!isList(ids)) return invalid('deployment_ids must be a list.');
    const own = { action: call.operation.action, resource: ownResource(call) };
    const idOf = (id: JsonValue) => (typeof id === 'string' ? (parseUuid(id) ?? id) : 'no id');
    const asks = ids.map((id): Ask => ({ ...own, on: { kind: 'related', object: { type: 'Deployment', id: idOf(id) } } }));
    return planned({ asks: asks.length === 0 ? [{ ...own, on: SHARED }] : distinctAsks(asks), intent: false, rewrite: () => call.tree });
  },
};
