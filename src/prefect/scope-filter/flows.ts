// The flows that a principal sees: scopes read the tags and pools of a flow's uses, not of the flow itself.
import { type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';
import { isFilterable, type Part } from './parts.ts';
import { everyItem, type Found, idsIn, PAGE, partsOf, type ScopeFilter, textOf, withPart } from './scope-filter.ts';

/** The ids of flows that a scope covers: by name, by their deployments, and by their latest runs. `filter`: the client's filter of flows. */
export async function flowIds(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
  const ids = new Set<string>();
  for (const scopes of [scopeFilter.scopes.filter(({ own }) => !own), ...scopeFilter.scopes.filter(({ own }) => own).map((scope) => [scope])]) {
    const found = scopes.length === 0 ? undefined : await (scopes.some(({ own }) => own) ? flowsCreated : flowsUsed)({ ...scopeFilter, scopes }, filter);
    if (found?.ok === false) return found;
    for (const id of found?.items ?? []) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

/** A principal sees the flows that it created; with further keys in the scope, one of their uses must match these. */
async function flowsCreated(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
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
  const uses = [...deployed.items.map((part) => ({ part, flows: flowsDeployed })), ...run.items.map((part) => ({ part, flows: flowsRun }))];
  for (const { part, flows } of uses) {
    const found = await flows(scopeFilter, asked, part);
    if (!found.ok) return found;
    for (const id of found.items) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

async function flowsDeployed(scopeFilter: ScopeFilter, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  return idsIn(await everyItem(scopeFilter.lookup, '/api/flows/filter', joined.body));
}

async function flowsRun(scopeFilter: ScopeFilter, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  const runs = await scopeFilter.lookup('/api/flow_runs/filter', { ...joined.body, sort: 'START_TIME_DESC', limit: PAGE });
  const ids = objectsIn(runs).map((run) => textOf(run, 'flow_id'));
  return { ok: true, items: ids.filter((id) => id !== '') };
}
