// Lists and ids of the objects that a principal with scopes may see, by bounded requests to Prefect.

import { field, isList, type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { matchesName } from '../../contract/scope/covers.ts';
import type { Restriction, Scope } from '../../contract/scope.ts';
import { textField } from '../client/answer.ts';
import type { Lookup } from '../client/lookup.ts';
import { conjoin } from './conjoin.ts';
import { bothParts, deploymentPart, isFilterable, mergeParts, type Part, type ResolvedScope, runPart } from './parts.ts';

export interface Refusal {
  readonly code: ReasonCode;
  /** More precise than the reason's own text. It quotes nothing of the body but field names. */
  readonly detail?: string;
  /** Further members of the body. */
  readonly members?: Readonly<Record<string, string>>;
  /** For 429 and 503; left out: the default. */
  readonly retryAfterSeconds?: number;
}

export interface ScopeFilter {
  /** ANDed: visible are the objects that every principal of the chain sees. Never empty. */
  readonly restrictions: readonly Restriction[];
  readonly lookup: Lookup;
  /** Ids (names of work pools) of the newest objects of a kind that this principal created through the gateway. */
  readonly createdBy: (type: ResourceType, principalId: string) => Promise<readonly string[]>;
}

/** Returns the ids of these objects that the principal may see. */
export type VisibleIds = (type: ResourceType, ids: readonly string[]) => Promise<ReadonlySet<string>>;

/** A list, or the reason why Lictor cannot know it. */
export type Found<T> = { readonly ok: true; readonly items: readonly T[] } | { readonly ok: false; readonly refusal: Refusal };

export const PAGE = 200;
/** Whole objects. */
const MOST_ITEMS = 2000;
/** Runs with little more than their ids. */
const MOST_RUNS = 5000;
const PAGE_OF_RUNS = 1000;

const TOO_WIDE: Refusal = { code: 'scope-too-wide' };

/** All objects of a list of Prefect. */
export async function everyItem(lookup: Lookup, path: string, body: JsonObject, { page = PAGE, most = MOST_ITEMS } = {}): Promise<Found<JsonObject>> {
  const items: JsonObject[] = [];
  for (let offset = 0; offset <= most; offset += page) {
    const answer = await lookup(path, { ...body, limit: page, offset });
    if (!isList(answer)) return { ok: false, refusal: { code: 'body-invalid', detail: 'Prefect does not take this filter.' } };
    items.push(...objectsIn(answer));
    if (answer.length < page) return { ok: true, items };
  }
  return { ok: false, refusal: TOO_WIDE };
}

/** Each part is a request to Prefect. */
const MOST_PARTS = 50;

/** The scopes of runs and deployments in Prefect's filter language. The parts are ORed. */
export async function partsOf(scopeFilter: ScopeFilter, kind: 'runs' | 'deployments'): Promise<Found<Part>> {
  let joined: readonly Part[] | undefined;
  for (const restriction of scopeFilter.restrictions) {
    const parts = await partsOfOne(scopeFilter, restriction, kind);
    if (!parts.ok) return parts;
    joined = joined === undefined ? parts.items : mergeParts(joined.flatMap((left) => parts.items.flatMap((right) => bothParts(left, right))));
    if (scopeFilter.restrictions.length > 1 && joined.length > MOST_PARTS) return { ok: false, refusal: TOO_WIDE };
  }
  return { ok: true, items: joined ?? [] };
}

async function partsOfOne(scopeFilter: ScopeFilter, restriction: Restriction, kind: 'runs' | 'deployments'): Promise<Found<Part>> {
  const parts: Part[] = [];
  for (const scope of restriction.scopes.filter(isFilterable)) {
    const resolved = await resolveScope(scopeFilter, { scope, principalId: restriction.principalId, kind });
    if ('code' in resolved) return { ok: false, refusal: resolved };
    parts.push(kind === 'runs' ? runPart(resolved) : deploymentPart(resolved));
  }
  return { ok: true, items: mergeParts(parts) };
}

/** The client's filters ANDed with those of a part. The route must know every key of the part. */
export function withPart(body: JsonObject, part: Part): { readonly ok: true; readonly body: JsonObject } | { readonly ok: false; readonly refusal: Refusal } {
  let joined = body;
  for (const [key, criteria] of Object.entries(part)) {
    const result = conjoin(field(joined, key), criteria);
    if (!result.ok) return { ok: false, refusal: { code: 'scope-filter', detail: result.detail } };
    joined = { ...joined, [key]: result.filter };
  }
  return { ok: true, body: joined };
}

const RUN_FILTERS = ['flows', 'flow_runs', 'task_runs', 'deployments', 'work_pools'];

/** The ids of covered flow runs that match the filters. */
export async function runIds(scopeFilter: ScopeFilter, filters: JsonObject): Promise<Found<string>> {
  return idsIn(await itemsOf(scopeFilter, 'runs', pick(filters, RUN_FILTERS), { path: '/api/ui/flow_runs/history', page: PAGE_OF_RUNS, most: MOST_RUNS }));
}

/** Those of these task runs whose flow runs are covered. */
export async function taskRunIds(scopeFilter: ScopeFilter, ids: readonly JsonValue[]): Promise<Found<string>> {
  return inCoveredRuns(scopeFilter, await everyItem(scopeFilter.lookup, '/api/task_runs/filter', { task_runs: { id: { any_: ids } } }));
}

/** Those of these task runs that exist without a covered flow run. */
export async function foreignTaskRuns(scopeFilter: ScopeFilter, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await everyItem(scopeFilter.lookup, '/api/task_runs/filter', { task_runs: { id: { any_: ids } } });
  const covered = await inCoveredRuns(scopeFilter, found);
  if (!found.ok || !covered.ok) return new Set(ids);
  const own = new Set(covered.items);
  return new Set(found.items.map((item) => textOf(item, 'id')).filter((id) => !own.has(id)));
}

/** Those of these artifacts whose flow runs are covered. */
export async function artifactIds(scopeFilter: ScopeFilter, ids: readonly JsonValue[]): Promise<Found<string>> {
  return inCoveredRuns(scopeFilter, await everyItem(scopeFilter.lookup, '/api/artifacts/filter', { artifacts: { id: { any_: ids } } }));
}

async function inCoveredRuns(scopeFilter: ScopeFilter, found: Found<JsonObject>): Promise<Found<string>> {
  if (!found.ok) return found;
  const owners = [...new Set(found.items.map((item) => textOf(item, 'flow_run_id')).filter((id) => id !== ''))];
  const covered = await runIds(scopeFilter, { flow_runs: { id: { any_: owners } } });
  if (!covered.ok) return covered;
  return { ok: true, items: found.items.filter((item) => covered.items.includes(textOf(item, 'flow_run_id'))).map((item) => textOf(item, 'id')) };
}

/** The ids of the newest flow runs of each scope, without scheduled ones. */
export async function newestRuns(scopeFilter: ScopeFilter, most: number): Promise<Found<string>> {
  const parts = await partsOf(scopeFilter, 'runs');
  if (!parts.ok) return parts;
  const begun = { flow_runs: { state: { type: { not_any_: ['SCHEDULED'] } } } };
  const ids = new Set<string>();
  for (const part of parts.items) {
    const joined = withPart(begun, part);
    if (!joined.ok) return joined;
    const found = await scopeFilter.lookup('/api/ui/flow_runs/history', { ...joined.body, sort: 'EXPECTED_START_TIME_DESC', limit: most });
    for (const run of objectsIn(found)) ids.add(textOf(run, 'id'));
  }
  return { ok: true, items: [...ids].slice(0, most) };
}

/** The covered flow runs that match the filters, as whole objects. */
export async function ownRuns(scopeFilter: ScopeFilter, filters: JsonObject): Promise<Found<JsonObject>> {
  return itemsOf(scopeFilter, 'runs', pick(filters, RUN_FILTERS), { path: '/api/flow_runs/filter' });
}

/** The ids of task runs that match the filters, in covered flow runs. */
export async function ownTaskRuns(scopeFilter: ScopeFilter, filters: JsonObject): Promise<Found<string>> {
  const runs = await runIds(scopeFilter, filters);
  if (!runs.ok || runs.items.length === 0) return runs;
  const body = { ...pick(filters, ['task_runs']), flow_runs: { id: { any_: runs.items } } };
  return idsIn(await everyItem(scopeFilter.lookup, '/api/task_runs/filter', body));
}

/** The covered deployments that match the filters. */
export async function deploymentsOf(scopeFilter: ScopeFilter, filters: JsonObject): Promise<Found<JsonObject>> {
  return itemsOf(scopeFilter, 'deployments', pick(filters, ['flows', 'deployments', 'work_pools']), { path: '/api/deployments/filter' });
}

interface Source {
  readonly path: string;
  readonly page?: number;
  readonly most?: number;
}

async function itemsOf(scopeFilter: ScopeFilter, kind: 'runs' | 'deployments', filters: JsonObject, source: Source): Promise<Found<JsonObject>> {
  const parts = await partsOf(scopeFilter, kind);
  if (!parts.ok) return parts;
  const byId = new Map<string, JsonObject>();
  for (const part of parts.items) {
    const joined = withPart(filters, part);
    if (!joined.ok) return joined;
    const found = await everyItem(scopeFilter.lookup, source.path, joined.body, source);
    if (!found.ok) return found;
    for (const item of found.items) byId.set(textOf(item, 'id'), item);
  }
  return byId.size > (source.most ?? MOST_ITEMS) ? { ok: false, refusal: TOO_WIDE } : { ok: true, items: [...byId.values()] };
}

/** The ids of a list. */
export function idsIn(found: Found<JsonObject>, key = 'id'): Found<string> {
  return found.ok ? { ok: true, items: found.items.map((item) => textOf(item, key)) } : found;
}

interface Unresolved {
  readonly scope: Scope;
  readonly principalId: string;
  readonly kind: 'runs' | 'deployments';
}

/** Resolves the patterns of a scope to existing names and ids. */
async function resolveScope({ lookup, createdBy }: ScopeFilter, { scope, principalId, kind }: Unresolved): Promise<ResolvedScope | Refusal> {
  const { tags, workPools } = scope;
  const flows = scope.flows === null ? null : await flowNames(lookup, scope.flows);
  if (flows !== null && !flows.ok) return flows.refusal;
  const deployments = scope.deployments === null ? null : await deploymentIds(lookup, scope.deployments);
  if (deployments !== null && !deployments.ok) return deployments.refusal;
  const own = scope.own ? await createdBy(kind === 'runs' ? 'FlowRun' : 'Deployment', principalId) : null;
  return { tags, workPools, flows: flows?.items ?? null, deployments: deployments?.items ?? null, own };
}

async function flowNames(lookup: Lookup, patterns: readonly string[]): Promise<Found<string>> {
  const open = patterns.filter((pattern) => pattern.endsWith('*'));
  if (open.length === 0) return { ok: true, items: patterns };
  const flows = await everyItem(lookup, '/api/flows/filter', {});
  if (!flows.ok) return flows;
  const names = flows.items.map((flow) => textOf(flow, 'name')).filter((name) => patterns.some((pattern) => matchesName(pattern, name)));
  return { ok: true, items: [...new Set(names)] };
}

/** Patterns have the form `FLOW/NAME`, but a deployment has only the id of its flow. */
async function deploymentIds(lookup: Lookup, patterns: readonly string[]): Promise<Found<string>> {
  const heads = patterns.map((pattern) => (pattern.includes('/') ? pattern.slice(0, pattern.indexOf('/')) : null));
  const whole = heads.filter((head) => head !== null);
  const filter = whole.length === heads.length ? { flows: { name: { any_: whole } } } : {};
  const [deployments, flows] = [await everyItem(lookup, '/api/deployments/filter', filter), await everyItem(lookup, '/api/flows/filter', filter)];
  if (!deployments.ok) return deployments;
  if (!flows.ok) return flows;
  const names = new Map(flows.items.map((flow) => [textOf(flow, 'id'), textOf(flow, 'name')]));
  const covered = deployments.items.filter((item) => {
    const full = `${names.get(textOf(item, 'flow_id')) ?? ''}/${textOf(item, 'name')}`;
    return patterns.some((pattern) => matchesName(pattern, full));
  });
  return idsIn({ ok: true, items: covered });
}

/** Empty when the field is no text. */
export function textOf(item: JsonValue | undefined, key: string): string {
  return textField(item, key) ?? '';
}

function pick(body: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => ((field(body, key) ?? null) === null ? [] : [[key, field(body, key) ?? null]])));
}
