// The flows that a principal sees: scopes read the tags and pools of a flow's uses, not of the flow itself.
import { type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';
import type { Restriction } from '../../contract/scope.ts';
import { isFilterable, type Part } from './parts.ts';
import { everyItem, type Found, idsIn, PAGE, partsOf, type ScopeFilter, textOf, withPart } from './scope-filter.ts';

/** The ids of flows that a scope covers: by name, by their deployments, and by their latest runs. `filter`: the client's filter of flows. */
export async function flowIds(scopeFilter: ScopeFilter, filter: JsonValue | undefined): Promise<Found<string>> {
  let ids: readonly string[] | undefined;
  // Teams share flows: the principals of a chain may see a flow by different uses.
  for (const restriction of scopeFilter.restrictions) {
    const found = await flowIdsOfOne({ ...scopeFilter, restriction }, filter);
    if (!found.ok) return found;
    const seen = new Set(found.items);
    ids = ids?.filter((id) => seen.has(id)) ?? found.items;
  }
  return { ok: true, items: ids ?? [] };
}

/** The filter of one principal. */
interface One extends Omit<ScopeFilter, 'restrictions'> {
  readonly restriction: Restriction;
}

function filterOf({ restriction, ...rest }: One): ScopeFilter {
  return { ...rest, restrictions: [restriction] };
}

async function flowIdsOfOne(one: One, filter: JsonValue | undefined): Promise<Found<string>> {
  const { scopes: all, principalId } = one.restriction;
  const ids = new Set<string>();
  for (const scopes of [all.filter(({ own }) => !own), ...all.filter(({ own }) => own).map((scope) => [scope])]) {
    const some = { ...one, restriction: { principalId, scopes } };
    const found = scopes.length === 0 ? undefined : await (scopes.some(({ own }) => own) ? flowsCreated : flowsUsed)(some, filter);
    if (found?.ok === false) return found;
    for (const id of found?.items ?? []) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

/** A principal sees the flows that it created; with further keys in the scope, one of their uses must match these. */
async function flowsCreated(one: One, filter: JsonValue | undefined): Promise<Found<string>> {
  const { principalId } = one.restriction;
  const created = new Set(await one.createdBy('Flow', principalId));
  const scopes = one.restriction.scopes.map((scope) => ({ ...scope, own: false }));
  const isAll = !scopes.some(isFilterable);
  const found = isAll
    ? await flowsDeployed(filterOf(one), filter === undefined ? {} : { flows: filter }, { flows: { id: [...created] } })
    : await flowsUsed({ ...one, restriction: { principalId, scopes } }, filter);
  return found.ok ? { ok: true, items: found.items.filter((id) => created.has(id)) } : found;
}

async function flowsUsed(one: One, filter: JsonValue | undefined): Promise<Found<string>> {
  const scopeFilter = filterOf(one);
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
