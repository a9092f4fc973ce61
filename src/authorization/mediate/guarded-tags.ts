// Guarded tags that a request puts on objects or takes off them, whatever the route: each is a right of its own beside the route's.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Principal } from '../../contract/principal.ts';
import { type GuardedTags, mustHoldTags } from '../../contract/scope/guarded.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { tagsOf } from '../../prefect/events/tags.ts';
import type { Ask } from '../decide/asks.ts';
import type { Authorization } from '../decide/decider.ts';
import { givenTags } from '../decide/event-tags.ts';
import { tagGuarded } from '../decide/holds-tag.ts';
import { existing } from './deployments.ts';
import { asksOf, type Call, type Plan, type Refusal } from './family.ts';
import { limitTagAsks, tagAsk, touchesLimit } from './guarded-limits.ts';

export interface TagParts {
  readonly guardedTags: GuardedTags;
  readonly lookup: Lookup;
}

/**
 * The plan with an ask for each such tag, also among what it asks later. Nothing is looked up for a principal that need not hold tags, nor for a request that
 * names none.
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

async function withLimitTags(asks: readonly Ask[], { guardedTags, lookup }: TagParts): Promise<readonly Ask[]> {
  const limits = asks.filter(touchesLimit);
  return limits.length === 0 ? asks : [...asks, ...(await limitTagAsks(limits, await guardedTags(), lookup))];
}

/** Undefined unless a tag is what was refused. */
export function tagRefusal({ asks }: Plan, { decisions }: Authorization): Refusal | undefined {
  const denied = decisions.findIndex(({ enforced }) => enforced !== 'allow');
  const on = decisions[denied]?.reason === 'tag-guarded' ? asks[denied]?.on : undefined;
  return on?.kind === 'tag' ? { code: 'tag-guarded', detail: tagGuarded(on.tag) } : undefined;
}

const EVENTS = 'create_events_events_post';
/** Prefect makes a deployment that is there into the one that is sent: what is not named goes. */
const UPSERT = 'create_deployment_deployments__post';
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
    const once = lookingOnce(lookup);
    for (const event of isList(tree) ? tree : []) for (const tag of await givenTags(event, guarded, once)) given.add(tag);
    return [...given];
  }
  const wanted = [...new Set(bodiesOf(tree).flatMap(tagsOf))];
  if (isChange(call)) {
    const old = tagsOf(await objectBefore(call, lookup));
    const differs = [...wanted.filter((tag) => !old.includes(tag)), ...old.filter((tag) => !wanted.includes(tag))];
    return differs.filter((tag) => guarded.has(tag));
  }
  const given = wanted.filter((tag) => guarded.has(tag));
  const inherited = given.length === 0 ? [] : tagsOf(await deploymentOf(call, lookup));
  return given.filter((tag) => !inherited.includes(tag));
}

/** Events of one request name the same few runs. */
function lookingOnce(lookup: Lookup): Lookup {
  const known = new Map<string, ReturnType<Lookup>>();
  return (path) => {
    const found = known.get(path) ?? lookup(path);
    known.set(path, found);
    return found;
  };
}

function isChange({ operation }: Call): boolean {
  return operation.operationId === UPSERT || operation.method === 'PATCH' || operation.method === 'PUT';
}

/** What is changed stands where the change is sent. */
async function objectBefore({ operation, inputs, tree }: Call, lookup: Lookup): Promise<JsonValue | null> {
  if (operation.operationId !== UPSERT) return lookup(inputs.path);
  const [flow, name] = isObject(tree) ? [field(tree, 'flow_id'), field(tree, 'name')] : [];
  const id = parseUuid(flow);
  return id === undefined || typeof name !== 'string' ? null : (await existing(lookup, id, name)).old;
}

/** A run keeps the tags of its deployment, no matter who starts it. */
async function deploymentOf({ operation, params, tree }: Call, lookup: Lookup): Promise<JsonValue | null> {
  const given = isObject(tree) && operation.operationId === RUN_DIRECTLY ? field(tree, 'deployment_id') : undefined;
  const id = RUN_OF_DEPLOYMENT.includes(operation.operationId) ? params['id'] : parseUuid(given);
  return id === undefined ? null : lookup(`/api/deployments/${id}`);
}

const RUN_DIRECTLY = 'create_flow_run_flow_runs__post';
