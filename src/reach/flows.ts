// Which flows a principal reaches: a flow has neither tags nor a pool, its uses have.
import { isList, isObject, type JsonObject, type JsonValue } from '../json/tree.ts';
import { isFilterable, type Part } from './parts.ts';
import { everyItem, type Found, PAGE, partsOf, type Reach, textOf, withPart } from './reach.ts';

/** The ids of flows that a scope covers: by name, by their deployments, and by the latest of their runs. `filter`: the client's, of flows. */
export async function flowIds(reach: Reach, filter: JsonValue | undefined): Promise<Found<string>> {
  const ids = new Set<string>();
  for (const scopes of [reach.scopes.filter(({ own }) => !own), ...reach.scopes.filter(({ own }) => own).map((scope) => [scope])]) {
    const found = scopes.length === 0 ? undefined : await (scopes.some(({ own }) => own) ? flowsMade : flowsUsed)({ ...reach, scopes }, filter);
    if (found?.ok === false) return found;
    for (const id of found?.items ?? []) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

/** What somebody has made is theirs whoever uses it; with further keys one of its uses must have what they ask. */
async function flowsMade(reach: Reach, filter: JsonValue | undefined): Promise<Found<string>> {
  const made = new Set(await reach.made('Flow'));
  const rest = { ...reach, scopes: reach.scopes.map((scope) => ({ ...scope, own: false })) };
  const isAll = !rest.scopes.some(isFilterable);
  const found = isAll ? await flowsDeployed(reach, filter === undefined ? {} : { flows: filter }, { flows: { id: [...made] } }) : await flowsUsed(rest, filter);
  return found.ok ? { ok: true, items: found.items.filter((id) => made.has(id)) } : found;
}

async function flowsUsed(reach: Reach, filter: JsonValue | undefined): Promise<Found<string>> {
  const asked: JsonObject = filter === undefined ? {} : { flows: filter };
  const [deployed, run] = [await partsOf(reach, 'deployments'), await partsOf(reach, 'runs')];
  if (!deployed.ok) return deployed;
  if (!run.ok) return run;
  const ids = new Set<string>();
  for (const part of deployed.items) {
    const found = await flowsDeployed(reach, asked, part);
    if (!found.ok) return found;
    for (const id of found.items) ids.add(id);
  }
  for (const part of run.items) {
    const found = await flowsRun(reach, asked, part);
    if (!found.ok) return found;
    for (const id of found.items) ids.add(id);
  }
  return { ok: true, items: [...ids] };
}

async function flowsDeployed(reach: Reach, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  const flows = await everyItem(reach.lookup, '/api/flows/filter', joined.body);
  return flows.ok ? { ok: true, items: flows.items.map((flow) => textOf(flow, 'id')) } : flows;
}

async function flowsRun(reach: Reach, asked: JsonObject, part: Part): Promise<Found<string>> {
  const joined = withPart(asked, part);
  if (!joined.ok) return joined;
  const runs = await reach.lookup('/api/flow_runs/filter', { ...joined.body, sort: 'START_TIME_DESC', limit: PAGE });
  return { ok: true, items: isList(runs) ? runs.map((run) => (isObject(run) ? textOf(run, 'flow_id') : '')).filter((id) => id !== '') : [] };
}
