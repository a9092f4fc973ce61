// Bulk requests: Lictor resolves the filter, decides each object, and names exactly those objects to Prefect. All or nothing.
import type { Decision } from '../../contract/decision.ts';
import { field, isList, isObject, type JsonObject } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import type { NewRecord } from '../../contract/record.ts';
import { coveredIds } from '../../prefect/scope-filter/covered-ids.ts';
import { flowIds } from '../../prefect/scope-filter/flows.ts';
import { type Found, partsOf, type ScopeFilter, textOf, withPart } from '../../prefect/scope-filter/scope-filter.ts';
import { visibleFilters } from '../../prefect/scope-filter/visible-filters.ts';
import { wholeNumber } from './field-changes.ts';
import type { Call, Lookup, Refusal } from './handler.ts';

/** Prefect's own limit (BULK_OPERATION_LIMIT of 3.9.1). */
export const MOST_ITEMS = 50;

export interface Kind {
  /** The body's key with the filter. */
  readonly key: 'flow_runs' | 'deployments' | 'flows';
  readonly type: ResourceType;
  readonly noun: string;
  /** The right to read them: a filter must not reveal more than a list. */
  readonly read: ActionName;
}

export const FLOW_RUNS: Kind = { key: 'flow_runs', type: 'FlowRun', noun: 'flow runs', read: 'flow_runs.read' };
export const DEPLOYMENTS: Kind = { key: 'deployments', type: 'Deployment', noun: 'deployments', read: 'deployments.read' };
export const FLOWS: Kind = { key: 'flows', type: 'Flow', noun: 'flows', read: 'flows.read' };

/** The objects that match now, up to the limit in the body. A refusal when Lictor cannot know them. */
export async function resolve(call: Call, kind: Kind, lookup: Lookup): Promise<{ readonly ids: readonly string[] } | Refusal> {
  const given = call.tree ?? {};
  if (!isObject(given)) return wrong('The body must be a JSON object.');
  const limit = (field(given, 'limit') ?? null) === null ? MOST_ITEMS : wholeNumber(field(given, 'limit'));
  if (limit === undefined || limit < 1 || limit > MOST_ITEMS) return wrong(`limit must be a whole number from 1 to ${MOST_ITEMS}.`);
  const filter = field(given, kind.key) ?? null;
  if (filter !== null && !isObject(filter)) return wrong(`${kind.key} must be an object.`);
  const scopeFilter = await call.scopeFilter?.({ action: kind.read, resource: { type: kind.type, id: null } });
  const ids =
    scopeFilter === undefined ? await matching({ kind, filter, lookup }, limit) : await matchingVisible({ kind, filter, lookup }, { scopeFilter, limit });
  return 'code' in ids ? ids : { ids: ids.slice(0, limit) };
}

function wrong(detail: string): Refusal {
  return { code: 'body-invalid', detail };
}

interface Matching {
  readonly kind: Kind;
  readonly filter: JsonObject | null;
  readonly lookup: Lookup;
}

async function matching({ kind, filter, lookup }: Matching, limit: number): Promise<readonly string[] | Refusal> {
  const found = await lookup(`/api/${kind.key}/filter`, { ...(filter !== null && { [kind.key]: filter }), limit });
  if (!isList(found)) return wrong(`Prefect does not take this filter of ${kind.noun}.`);
  const ids = found.flatMap((item) => parseUuid(field(item, 'id')) ?? []);
  return ids.length === found.length ? ids : wrong(`Prefect did not answer with ${kind.noun}.`);
}

interface Visible {
  readonly scopeFilter: ScopeFilter;
  readonly limit: number;
}

/** The changed objects must not reveal more to a principal than a list does. */
async function matchingVisible(asked: Matching, { scopeFilter, limit }: Visible): Promise<readonly string[] | Refusal> {
  const { kind, filter } = asked;
  const listed = kind === FLOW_RUNS ? 'runs' : kind === DEPLOYMENTS ? 'deployments' : 'flows';
  const seen = await visibleFilters({ [kind.key]: filter }, { scopeFilter, listed, visibleIds: (type, ids) => coveredIds(scopeFilter, type, ids) });
  if (!seen.ok) return seen.refusal;
  const own = field(seen.body, kind.key);
  return visibleIds({ ...asked, filter: isObject(own) ? own : null }, { scopeFilter, limit });
}

/**
 * Foreign objects must not count towards the limit: a client could otherwise probe whether a foreign object matches a filter.
 * Lictor looks at each of a few named objects, because only its id finds a run below another run.
 */
async function visibleIds(asked: Matching, { scopeFilter, limit }: Visible): Promise<readonly string[] | Refusal> {
  const { kind, filter } = asked;
  const criterion = (field(filter, 'operator') ?? 'and_') === 'and_' ? field(filter, 'id') : undefined;
  const named = field(criterion, 'any_');
  if (isList(named) && named.length <= MOST_ITEMS) {
    const ids = await matching(asked, MOST_ITEMS);
    if ('code' in ids) return ids;
    const own = await coveredIds(scopeFilter, kind.type, ids);
    return [...ids.filter((id) => own.has(id)), ...ids.filter((id) => !own.has(id))];
  }
  const found = kind === FLOWS ? await flowIds(scopeFilter, filter ?? undefined) : await idsIn(scopeFilter, asked, limit);
  return found.ok ? found.items : found.refusal;
}

async function idsIn(scopeFilter: ScopeFilter, { kind, filter, lookup }: Matching, limit: number): Promise<Found<string>> {
  const parts = await partsOf(scopeFilter, kind === FLOW_RUNS ? 'runs' : 'deployments');
  if (!parts.ok) return parts;
  const ids = new Set<string>();
  for (const part of parts.items) {
    const joined = withPart(filter === null ? {} : { [kind.key]: filter }, part);
    if (!joined.ok) return joined;
    const found = await lookup(`/api/${kind.key}/filter`, { ...joined.body, limit });
    if (!isList(found)) return { ok: false, refusal: wrong(`Prefect does not take this filter of ${kind.noun}.`) };
    for (const item of found) if (isObject(item)) ids.add(textOf(item, 'id'));
  }
  return { ok: true, items: [...ids] };
}

/** The part of a body that names only these. An empty list of ids matches nothing; no filter at all would match everything. */
export function namingOnly(kind: Kind, ids: readonly string[]): JsonObject {
  return { [kind.key]: { id: { any_: [...ids] } }, limit: Math.max(1, ids.length) };
}

/** Says for how many objects the request was refused. */
export function itemRefusal(kind: Kind, ids: readonly string[]): (denied: readonly Decision[]) => Refusal | undefined {
  return (denied) => {
    const items = new Set(denied.map(({ resource }) => resource.id).filter((id) => id !== null && ids.includes(id)));
    if (items.size === 0) return undefined;
    return { code: 'bulk-item-forbidden', detail: `${items.size} of the ${ids.length} ${kind.noun} that match may not be changed, so none was.` };
  };
}

/** A record for each object that Prefect says it changed. */
export function itemRecords(kind: Kind, ids: readonly string[]): readonly Partial<NewRecord>[] {
  return ids.map((id) => ({
    resource_type: kind.type,
    resource_id: id,
    ...(kind.type === 'FlowRun' && { flow_run_id: id, run_binding: 'verified' as const }),
    ...(kind.type === 'Deployment' && { deployment_id: id }),
  }));
}
