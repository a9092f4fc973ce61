// Rewrites a scoped principal's own filters, so that each matches only by data that the principal's answers contain.
//
// Prefect matches whole objects: the run that started a run, a run that a task started, another team's deployment. If such an object is hidden,
// Lictor rewrites the filter to visible ids. Without hidden objects it forwards the filter unchanged.
import { field, isList, isObject, type JsonObject, type JsonValue, withoutKeys } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { conjoin } from './conjoin.ts';
import { askedFields, hiddenFilter } from './filter-fields.ts';
import { coveredItems, WORK_POOLS } from './named.ts';
import { deploymentsOf, type Found, idsIn, ownRuns, ownTaskRuns, type Refusal, type ScopeFilter, textOf, type VisibleIds } from './scope-filter.ts';

/** The objects in a route's list determine which other objects its filters can be about. */
export type Listed = 'runs' | 'deployments' | 'flows' | 'named';

export interface FilterContext {
  readonly scopeFilter: ScopeFilter;
  readonly visibleIds: VisibleIds;
  readonly listed: Listed;
}

type Rewritten = { readonly ok: true; readonly body: JsonObject } | { readonly ok: false; readonly refusal: Refusal };

type Step = (body: JsonObject, context: FilterContext) => Promise<Rewritten>;

/** The body with filters that match only by visible data. */
export async function visibleFilters(body: JsonObject, context: FilterContext): Promise<Rewritten> {
  const refusal = hiddenFilter(body);
  if (refusal !== undefined) return { ok: false, refusal };
  let rewritten: Rewritten = { ok: true, body };
  for (const step of [visibleDeployments, visiblePools, visibleParents, visibleParentIsNull, visibleSubFlows])
    if (rewritten.ok) rewritten = await step(rewritten.body, context);
  return rewritten;
}

/** A run contains the id of its deployment. The other fields of a deployment are visible only if a scope covers it. */
const visibleDeployments: Step = async (body, { scopeFilter, listed }) => {
  const filter = field(body, 'deployments');
  if (listed !== 'runs' || askedFields(filter).every((name) => name === 'id')) return { ok: true, body };
  return withIds(body, 'deployments', { found: idsIn(await deploymentsOf(scopeFilter, { deployments: filter ?? null })), rest: {} });
};

/** The same for a pool, whose id and name its runs and deployments contain. */
const visiblePools: Step = async (body, { scopeFilter, listed }) => {
  const filter = field(body, 'work_pools');
  if (listed === 'named' || !askedFields(filter).includes('type')) return { ok: true, body };
  return withIds(body, 'work_pools', { found: idsIn(await coveredItems(scopeFilter, WORK_POOLS, { work_pools: filter ?? null })), rest: {} });
};

/** Of the named parents, only the visible ones remain. */
const visibleParents: Step = async (body, { visibleIds }) => {
  let filter = field(body, 'flow_runs');
  for (const [name, type] of [
    ['parent_flow_run_id', 'FlowRun'],
    ['parent_task_run_id', 'TaskRun'],
  ] as const) {
    const criterion = criterionOf(filter, name);
    const any = field(criterion, 'any_');
    if (!isObject(filter) || criterion === undefined || !isList(any)) continue;
    const ids = any.flatMap((id) => parseUuid(id) ?? []);
    filter = { ...filter, [name]: { ...criterion, any_: [...(await visibleIds(type, ids))] } };
  }
  return { ok: true, body: isObject(filter) ? { ...body, flow_runs: filter } : body };
};

/** A run with a hidden parent appears without a parent, so the filter counts it as such. */
const visibleParentIsNull: Step = async (body, { scopeFilter, visibleIds, listed }) => {
  const filter = field(body, 'flow_runs');
  const criterion = criterionOf(filter, 'parent_task_run_id');
  const isNull = field(criterion, 'is_null_') ?? null;
  if (!isObject(filter) || criterion === undefined || isNull === null) return { ok: true, body };
  const rest = without(filter, criterion, ['parent_task_run_id', 'is_null_']);
  if (typeof isNull !== 'boolean' || rest === undefined) return unjoined('flow_runs.parent_task_run_id');
  const asked = { ...rest, parent_task_run_id: { is_null_: false } };
  const runs = await ownRuns(scopeFilter, { ...beside(body, listed), flow_runs: asked });
  if (!runs.ok) return runs;
  const visible = await visibleIds('TaskRun', [...new Set(runs.items.map(parentOf))]);
  const known = runs.items.filter((run) => visible.has(parentOf(run))).map((run) => textOf(run, 'id'));
  if (known.length === runs.items.length) return { ok: true, body };
  return isNull ? exceptFor({ ...body, flow_runs: rest }, known) : withIds(body, 'flow_runs', { found: { ok: true, items: known }, rest });
};

/** The same for a task run with a hidden sub-flow. */
const visibleSubFlows: Step = async (body, { scopeFilter, listed }) => {
  const filter = field(body, 'task_runs');
  const criterion = criterionOf(filter, 'subflow_runs');
  const exists = field(criterion, 'exists_') ?? null;
  if (!isObject(filter) || criterion === undefined || exists === null) return { ok: true, body };
  const rest = without(filter, criterion, ['subflow_runs', 'exists_']);
  if (typeof exists !== 'boolean' || rest === undefined) return unjoined('task_runs.subflow_runs');
  const context = beside(body, listed);
  const starters = await ownTaskRuns(scopeFilter, { ...context, task_runs: { ...rest, subflow_runs: { exists_: true } } });
  if (!starters.ok) return starters;
  const ids = starters.items;
  const children = ids.length === 0 ? starters : idsIn(await ownRuns(scopeFilter, { flow_runs: { parent_task_run_id: { any_: ids } } }), 'parent_task_run_id');
  if (!children.ok) return children;
  const known = new Set(children.items);
  if (ids.every((id) => known.has(id))) return { ok: true, body };
  const all = exists ? starters : await ownTaskRuns(scopeFilter, { ...context, task_runs: rest });
  if (!all.ok) return all;
  return withIds(body, 'task_runs', { found: { ok: true, items: all.items.filter((id) => known.has(id) === exists) }, rest });
};

/** The filters about the same run. In lists of flows or deployments, each filter can be about another run. */
function beside(body: JsonObject, listed: Listed): JsonObject {
  return listed === 'runs' ? body : withoutKeys(body, (key) => key !== 'flow_runs' && key !== 'task_runs');
}

function criterionOf(filter: JsonValue | undefined, name: string): JsonObject | undefined {
  const criterion = field(filter, name);
  return isObject(criterion) ? criterion : undefined;
}

/** The filter without one test of a criterion. Undefined: an operator ORs the test with others. */
function without(filter: JsonObject, criterion: JsonObject, [name, test]: readonly [string, string]): JsonObject | undefined {
  const left = withoutKeys(criterion, (key) => key === test || key === 'operator');
  const rest = withoutKeys(filter, (key) => key === name || key === 'operator');
  const isJoined = (field(filter, 'operator') ?? 'and_') === 'and_' || askedFields(filter).length <= 1;
  const isAlone = (field(criterion, 'operator') ?? 'and_') === 'and_' || Object.values(left).every((value) => value === null);
  if (!isJoined || !isAlone) return undefined;
  return Object.keys(left).length === 0 ? rest : { ...rest, [name]: left };
}

function unjoined(name: string): Rewritten {
  return { ok: false, refusal: { code: 'scope-filter', detail: `${name} cannot be joined with other tests by or_ beside the role's scope.` } };
}

interface Ids {
  readonly found: Found<string>;
  /** The rest of the filter. */
  readonly rest: JsonObject;
}

function withIds(body: JsonObject, key: string, { found, rest }: Ids): Rewritten {
  if (!found.ok) return found;
  const joined = conjoin(rest, { id: found.items });
  return joined.ok ? { ok: true, body: { ...body, [key]: joined.filter } } : { ok: false, refusal: { code: 'scope-filter', detail: joined.detail } };
}

function exceptFor(body: JsonObject, ids: readonly string[]): Rewritten {
  const filter = field(body, 'flow_runs');
  const id = criterionOf(filter, 'id') ?? {};
  const given = field(id, 'not_any_') ?? [];
  return { ok: true, body: { ...body, flow_runs: { ...(isObject(filter) && filter), id: { ...id, not_any_: [...(isList(given) ? given : []), ...ids] } } } };
}

function parentOf(run: JsonObject): string {
  return textOf(run, 'parent_task_run_id');
}
