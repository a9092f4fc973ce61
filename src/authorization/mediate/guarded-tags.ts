// Guarded tags that a request adds to objects or removes from them, on any route: each needs a separate right beside the route's own.
//
// The concurrency limit of a guarded tag delays every task with the tag. So a principal that changes or occupies the limit needs the tag as well.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid, readsAsUuid } from '../../contract/json/uuid.ts';
import type { Principal } from '../../contract/principal.ts';
import { type GuardedTags, mustHoldTags } from '../../contract/scope/guarded.ts';
import { textField } from '../../prefect/client/answer.ts';
import { readLimit } from '../../prefect/client/entities.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { tagsOf } from '../../prefect/events/tags.ts';
import { type Ask, objectOf } from '../decide/asks.ts';
import type { Authorization } from '../decide/decider.ts';
import { givenTags } from '../decide/event-tags.ts';
import { tagGuarded } from '../decide/holds-tag.ts';
import { existing } from './deployments.ts';
import { asksOf, type Call, type Plan, type Refusal } from './handler.ts';

export interface TagParts {
  readonly guardedTags: GuardedTags;
  readonly lookup: Lookup;
}

/**
 * The plan with an ask for each such tag, also among its further asks. Lictor looks nothing up for a principal that need not hold tags, nor
 * for a request that names no tag.
 */
export async function withTagAsks(call: Call, plan: Plan, principal: Principal, parts: TagParts): Promise<Plan> {
  if (!mustHoldTags(principal) || !call.operation.writes) return plan;
  const { further, without } = plan;
  const asks = await withLimitTags(asksOf(call, plan.asks), parts);
  const [main] = asks;
  const changed = main === undefined || !mayChangeTags(call) ? [] : await changedTags(call, parts);
  return {
    ...plan,
    ...(further !== undefined && { further: async () => withLimitTags(await further(), parts) }),
    ...(without !== undefined && { without: async (ids: ReadonlySet<string>) => withTagAsks(call, await without(ids), principal, parts) }),
    asks: main === undefined ? asks : [...asks, ...changed.map((tag) => tagAsk(main, tag))],
  };
}

/** The right to do the same with an object of this tag. */
function tagAsk({ action, resource, facts }: Ask, tag: string): Ask {
  return { action, resource, ...(facts !== undefined && { facts }), on: { kind: 'tag', tag } };
}

/** Undefined unless the first denied ask is about a tag. */
export function tagRefusal({ asks }: Plan, { decisions }: Authorization): Refusal | undefined {
  const denied = decisions.findIndex(({ enforced }) => enforced !== 'allow');
  const on = decisions[denied]?.reason === 'tag-guarded' ? asks[denied]?.on : undefined;
  return on?.kind === 'tag' ? { code: 'tag-guarded', detail: tagGuarded(on.tag) } : undefined;
}

/** The asks, and one for each guarded tag whose limit they are about. */
async function withLimitTags(asks: readonly Ask[], { guardedTags, lookup }: TagParts): Promise<readonly Ask[]> {
  const limits = asks.filter((ask) => objectOf(ask).type === 'ConcurrencyLimit' && objectOf(ask).id !== null);
  if (limits.length === 0) return asks;
  const guarded = await guardedTags();
  const further: Ask[] = [];
  for (const ask of limits) {
    const tag = await tagOfLimit(ask, guarded, lookup);
    if (tag !== undefined) further.push(tagAsk(ask, tag));
  }
  return [...asks, ...further];
}

async function tagOfLimit(ask: Ask, guarded: ReadonlySet<string>, lookup: Lookup): Promise<string | undefined> {
  const limit = objectOf(ask);
  const isById = limit.within === undefined && readsAsUuid(limit.id ?? '');
  const named = limit.within === 'tag' ? limit.id : tagInName(limit.id);
  if (!isById && !isIn(guarded, named)) return undefined;
  // Taking slots of a limit that does not exist has no effect.
  const found = isById || (ask.on?.kind === 'related' && ask.on.orAbsent === true) ? await readLimit(lookup, limit.id ?? '', limit.within) : undefined;
  if (found === null) return undefined;
  const tag = found === undefined || !isById ? named : (textField(found, 'tag') ?? tagInName(textField(found, 'name')));
  return isIn(guarded, tag) ? tag : undefined;
}

function isIn(guarded: ReadonlySet<string>, tag: string | null): tag is string {
  return tag !== null && guarded.has(tag);
}

/** A new limit of tag T has the name `tag:T`. Null: it is a limit of another kind. */
function tagInName(name: string | null): string | null {
  return name?.startsWith(TAG) === true ? name.slice(TAG.length) : null;
}

const TAG = 'tag:';

const EVENTS = 'create_events_events_post';
/** Prefect replaces an existing deployment, and removes the tags that the body does not name. */
const UPSERT = 'create_deployment_deployments__post';
const RUN_DIRECTLY = 'create_flow_run_flow_runs__post';
const RUN_OF_DEPLOYMENT = [
  'create_flow_run_from_deployment_deployments__id__create_flow_run_post',
  'bulk_create_flow_runs_from_deployment_deployments__id__create_flow_run_bulk_post',
];

function mayChangeTags({ operation, tree }: Call): boolean {
  return [EVENTS, UPSERT].includes(operation.operationId) || bodiesOf(tree).some((body) => Object.hasOwn(body, 'tags'));
}

function bodiesOf(tree: JsonValue | undefined): readonly JsonObject[] {
  return (isList(tree) ? tree : [tree]).filter((body) => isObject(body));
}

async function changedTags(call: Call, { guardedTags, lookup }: TagParts): Promise<readonly string[]> {
  const guarded = await guardedTags();
  if (guarded.size === 0) return [];
  const { operation, tree } = call;
  if (operation.operationId === EVENTS) {
    const given = new Set<string>();
    const once = withCache(lookup);
    for (const event of isList(tree) ? tree : []) for (const tag of await givenTags(event, guarded, once)) given.add(tag);
    return [...given];
  }
  const named = [...new Set(bodiesOf(tree).flatMap(tagsOf))];
  if (isChange(call)) {
    const old = tagsOf(await objectBefore(call, lookup));
    return [...new Set(named).symmetricDifference(new Set(old))].filter((tag) => guarded.has(tag));
  }
  const given = named.filter((tag) => guarded.has(tag));
  const inherited = given.length === 0 ? [] : tagsOf(await deploymentOf(call, lookup));
  return given.filter((tag) => !inherited.includes(tag));
}

/** The events of one request name the same few runs. */
function withCache(lookup: Lookup): Lookup {
  const answers = new Map<string, ReturnType<Lookup>>();
  return (path) => {
    const answer = answers.get(path) ?? lookup(path);
    answers.set(path, answer);
    return answer;
  };
}

function isChange({ operation }: Call): boolean {
  return operation.operationId === UPSERT || operation.method === 'PATCH' || operation.method === 'PUT';
}

/** A GET of the request's own path returns the object before the change. */
async function objectBefore({ operation, inputs, tree }: Call, lookup: Lookup): Promise<JsonValue> {
  if (operation.operationId !== UPSERT) return lookup(inputs.path);
  const [flow, name] = [parseUuid(field(tree, 'flow_id')), field(tree, 'name')];
  return flow === undefined || typeof name !== 'string' ? null : (await existing(lookup, flow, name)).old;
}

/** A run inherits the tags of its deployment from any principal that starts it. */
async function deploymentOf({ operation: { operationId }, params, tree }: Call, lookup: Lookup): Promise<JsonValue> {
  const given = operationId === RUN_DIRECTLY ? parseUuid(field(tree, 'deployment_id')) : undefined;
  const id = RUN_OF_DEPLOYMENT.includes(operationId) ? params['id'] : given;
  return id === undefined ? null : lookup(`/api/deployments/${id}`);
}
