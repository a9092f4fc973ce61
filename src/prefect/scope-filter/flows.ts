// Which flows a principal sees: a flow has neither tags nor a pool, but its uses have.
import { isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { isFilterable, type Part } from './parts.ts';
import { everyItem, type Found, PAGE, partsOf, type ScopeFilter, textOf, withPart } from './scope-filter.ts';

/** The ids of flows that a scope covers: by name, by their deployments, and by the latest of their runs. `filter`: the client's, of flows. */
export async function flowIds(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
  const ids = new Set<string>();
  for (const scopes of [scopeFilter.scopes.filter(({ own }) => !own), ...scopeFilter.scopes.filter(({ own }) => own).map((scope) => [scope])]) {
    const found = scopes.length === 0 ? undefined : await (scopes.some(({ own }) => own) ? flowsMade : flowsUsed)({ ...scopeFilter, scopes }, filter);
    if (found?.ok === false) return found;
    for (const id of found?.items ?? []) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

/** A principal sees the flows that it created; with further keys in the scope, one of their uses must match these. */
async function flowsMade(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
  const created = new Set(await scopeFilter.createdBy('Flow'));
  const rest = { ...scopeFilter, scopes: scopeFilter.scopes.map((scope) => ({ ...scope, own: false })) };
  const isAll = !rest.scopes.some(isFilterable);
  const found = isAll
    ? await flowsDeployed(scopeFilter, filter === undefined ? {} : { flows: filter }, { flows: { id: [...created] } })
    : await flowsUsed(rest, filter);
  return found.ok ? { ok: true, items: found.items.filter((id) => created.has(id)) } : found;
}

async function flowsUsed(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
  const asked: JsonObject = filter === undefined ? {} : { flows: filter };
  const [deployed, run] = [await partsOf(scopeFilter, 'deployments'), await partsOf(scopeFilter, 'runs')];
  if (!deployed.ok) return deployed;
  if (!run.ok) return run;
  const ids = new Set<string>();
  for (const part of deployed.items) {
    const found = await flowsDeployed(scopeFilter, asked, part);
    if (!found.ok) return found;
    for (const id of found.items) ids.add(id);
  }
  for (const part of run.items) {
    const found = await flowsRun(scopeFilter, asked, part);
    if (!found.ok) return found;
    for (const id of found.items) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

async function flowsDeployed(scopeFilter: ScopeFilter, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  const flows = await everyItem(scopeFilter.lookup, '/api/flows/filter', joined.body);
  return flows.ok ? { ok: true, items: flows.items.map((flow) => textOf(flow, 'id')) } : flows;
}

async function flowsRun(scopeFilter: ScopeFilter, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  const runs = await scopeFilter.lookup('/api/flow_runs/filter', { ...joined.body, sort: 'START_TIME_DESC', limit: PAGE });
  return { ok: true, items: isList(runs) ? runs.map((run) => (isObject(run) ? textOf(run, 'flow_id') : '')).filter((id) => id !== '') : [] };
}
