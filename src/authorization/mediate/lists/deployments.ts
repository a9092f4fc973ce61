// Lists and counts of deployments and flows, and the UI's counts for a flow: teams may share a flow, but not its deployments.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { flowIds } from '../../../prefect/scope-filter/flows.ts';
import { deploymentsOf, idsIn, partsOf, runIds, type ScopeFilter, textOf, withPart } from '../../../prefect/scope-filter/scope-filter.ts';
import { answered, forwarded, type Narrow, type Narrowed, narrowBody, refused, withIds } from './narrowed.ts';

export const narrowDeployments = narrowBody(async (body, scopeFilter) => {
  const parts = await partsOf(scopeFilter, 'deployments');
  if (!parts.ok) return refused(parts.refusal);
  const [part, ...others] = parts.items;
  if (part !== undefined && others.length === 0) {
    const joined = withPart(body, part);
    return joined.ok ? withOwnRuns(joined.body, scopeFilter) : refused(joined.refusal);
  }
  const narrowed = withIds(body, 'deployments', 'id', idsIn(await deploymentsOf(scopeFilter, body)));
  return narrowed.ok && narrowed.forward && isObject(narrowed.tree) ? withOwnRuns(narrowed.tree, scopeFilter) : narrowed;
});

export const narrowFlows = narrowBody(async (body, scopeFilter) => {
  const narrowed = withIds(body, 'flows', 'id', await flowIds(scopeFilter, field(body, 'flows') ?? undefined));
  return narrowed.ok && narrowed.forward && isObject(narrowed.tree) ? withOwnDeployments(narrowed.tree, scopeFilter) : narrowed;
});

/** A filter on the deployments of a shared flow must not reveal other teams' deployments. */
async function withOwnDeployments(body: JsonObject, scopeFilter: ScopeFilter): Promise<Narrowed> {
  if (!hasFilter(body, 'deployments', 'work_pools')) return withOwnRuns(body, scopeFilter);
  const ids = idsIn(await deploymentsOf(scopeFilter, body));
  if (!ids.ok) return refused(ids.refusal);
  return withOwnRuns({ ...body, deployments: { id: { any_: ids.items } }, work_pools: null }, scopeFilter);
}

function hasFilter(body: JsonObject, ...keys: readonly string[]): boolean {
  return keys.some((key) => (field(body, key) ?? null) !== null);
}

/** Nor must a filter on runs: "flows that have a run of this name" would ask about the runs of all teams. */
async function withOwnRuns(body: JsonObject, scopeFilter: ScopeFilter): Promise<Narrowed> {
  if (!hasFilter(body, 'flow_runs', 'task_runs')) return forwarded(body);
  const filters = { flow_runs: field(body, 'flow_runs') ?? null, task_runs: field(body, 'task_runs') ?? null };
  const ids = await runIds(scopeFilter, filters);
  return ids.ok ? forwarded({ ...body, flow_runs: { id: { any_: [...ids.items] } }, task_runs: null }) : refused(ids.refusal);
}

/** `flow.serve()` polls for the runs of the deployments in the body. Prefect gets the covered ones. */
export const narrowPoll = narrowBody(async (body, scopeFilter) => {
  const asked = field(body, 'deployment_ids');
  if (!isList(asked)) return refused({ code: 'body-invalid', detail: 'deployment_ids must be a list.' });
  const ids = asked.flatMap((id) => parseUuid(id) ?? []);
  return forwarded({ ...body, deployment_ids: [...(await coveredIds(scopeFilter, 'Deployment', ids))] });
});

export const countDeploymentsOfFlows: Narrow = async (call, scopeFilter) => {
  const ids = flowsAsked(call.tree);
  if (ids === undefined) return refused({ code: 'body-invalid', detail: FLOW_IDS });
  const found = await deploymentsOf(scopeFilter, { flows: { id: { any_: [...ids] } } });
  if (!found.ok) return refused(found.refusal);
  const flows = found.items.map((item) => textOf(item, 'flow_id'));
  return answered(Object.fromEntries(ids.map((id) => [id, flows.filter((flow) => flow === id).length])));
};

export const nextRunsOfFlows: Narrow = async (call, scopeFilter) => {
  const ids = flowsAsked(call.tree);
  if (ids === undefined) return refused({ code: 'body-invalid', detail: FLOW_IDS });
  const parts = await partsOf(scopeFilter, 'runs');
  if (!parts.ok) return refused(parts.refusal);
  const entries: [string, JsonValue][] = [];
  for (const id of ids) {
    const runs: JsonValue[] = [];
    for (const part of parts.items) {
      const joined = withPart({ flows: { id: { any_: [id] } }, flow_runs: { state: { type: { any_: ['SCHEDULED'] } } } }, part);
      if (!joined.ok) return refused(joined.refusal);
      const found = await scopeFilter.lookup('/api/flow_runs/filter', { ...joined.body, sort: 'NEXT_SCHEDULED_START_TIME_ASC', limit: 1 });
      if (isList(found)) runs.push(...found);
    }
    const [first] = runs.filter(isObject).toSorted((a, b) => (textOf(a, NEXT) < textOf(b, NEXT) ? -1 : 1));
    entries.push([id, first === undefined ? null : nextRun(first)]);
  }
  return answered(Object.fromEntries(entries));
};

const NEXT = 'next_scheduled_start_time';
const FLOW_IDS = 'flow_ids must be a list of at most 200 ids.';

/** The fields of a run in Prefect's own answer (SimpleNextFlowRun). */
function nextRun(run: JsonObject): JsonObject {
  return Object.fromEntries(['id', 'flow_id', 'name', 'state_name', 'state_type', NEXT].map((key) => [key, field(run, key) ?? null]));
}

function flowsAsked(tree: JsonValue | undefined): readonly string[] | undefined {
  const asked = field(tree, 'flow_ids');
  if (!isList(asked) || asked.length > 200) return undefined;
  const ids = asked.flatMap((id) => parseUuid(id) ?? []);
  return ids.length === asked.length ? ids : undefined;
}
