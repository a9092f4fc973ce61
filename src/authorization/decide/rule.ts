// Decides one ask of a principal whose roles may have scopes.
//
// A role with a scope is in force for an ask exactly when its scope covers the object of the ask. The policies are evaluated with the
// roles without a scope and the roles in force. A kind as a whole is allowed with a restriction: the scopes that together bound what
// the principal may see.
import type { Decision, DecisionContext, Effect, Located } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { JsonObject } from '../../contract/json/tree.ts';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { covers, coversNew, coversWhole } from '../../contract/scope/covers.ts';
import { isScreenedRead } from '../../contract/scope/screened.ts';
import { isShared } from '../../contract/scope/shared.ts';
import type { Restriction, Scope } from '../../contract/scope.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { type Ask, objectOf, usedFlow } from './asks.ts';
import type { HoldsLease } from './holds-lease.ts';

export interface Ruling {
  readonly decision: Decision;
  /** All of them hold for the objects that the request may see, change or count. Empty: all objects. */
  readonly restrictions: readonly Restriction[];
  /** The object that Lictor read; null: none. */
  readonly entity: Entity | null;
}

export interface RuleParts {
  readonly policy: PolicyEngine;
  readonly entities: Entities;
  readonly knowsFlow?: KnowsFlow;
  /** Left out: no principal holds a lease. */
  readonly holdsLease?: HoldsLease;
}

/** True when the principal has recently registered this flow's name. */
export type KnowsFlow = (principal: string, flow: string) => Promise<boolean>;

export interface Question {
  readonly principal: Principal;
  readonly ask: Ask;
  readonly context: DecisionContext;
}

/** Its own roles alone: of a chain, each principal counts for itself. */
export function hasScopes({ grants }: Principal): boolean {
  return grants.some(({ scope }) => scope !== null);
}

/** The most that the scopes could allow, without reading an object: roles with a scope count as roles on everything. */
export function evaluateUpperBound({ policy }: Pick<RuleParts, 'policy'>, question: Question): Ruling {
  return { decision: evaluate(policy, question, { inForce: rolesOfScopes(question.principal) }), restrictions: [], entity: null };
}

/** The same before the body is read: conditions on the body or the object count as met. */
export function evaluatePrecheck({ policy }: Pick<RuleParts, 'policy'>, question: Question): Ruling {
  return { decision: evaluate(policy, question, { inForce: rolesOfScopes(question.principal), atMost: true }), restrictions: [], entity: null };
}

/** Throws UpstreamError when Prefect does not answer: then Lictor decides nothing. */
export async function rule(parts: RuleParts, question: Question): Promise<Ruling> {
  const ruling = await ruleByRoles(parts, question);
  const { on } = question.ask;
  if (on?.kind !== 'lease' || ruling.decision.enforced !== 'allow' || (await mayTouch(parts, question, on.lease))) return ruling;
  return { decision: refused(ruling.decision, 'object-foreign'), restrictions: [], entity: null };
}

/** A run shares its role with all others. */
async function mayTouch({ policy, holdsLease }: RuleParts, question: Question, lease: string): Promise<boolean> {
  const { principal } = question;
  const isEverywhere = principal.kind !== 'run' && evaluate(policy, question, {}).enforced === 'allow';
  return isEverywhere || (await holdsLease?.(principal, lease)) === true;
}

async function ruleByRoles(parts: RuleParts, question: Question): Promise<Ruling> {
  const { policy } = parts;
  const { ask, principal } = question;
  if (!hasScopes(principal)) {
    return policy.readsAttributes ? ruleByAttributes(parts, question) : { decision: evaluate(policy, question, {}), restrictions: [], entity: null };
  }
  const kind = ask.on?.kind ?? 'resource';
  if (kind === 'shared' || kind === 'lease' || isShared(ask.action)) return evaluateUpperBound(parts, question);
  const isObject = ask.resource.id !== null || kind === 'created' || kind === 'related';
  return isObject ? ruleOnObject(parts, question) : ruleOnKind(policy, question, evaluateUpperBound(parts, question).decision);
}

/** For a principal without scopes, where policies read attributes: decided on the object before and after the change. */
async function ruleByAttributes(parts: RuleParts, question: Question): Promise<Ruling> {
  const { ask } = question;
  const now = await entityOf(parts, question);
  const before: Ruling = { decision: evaluate(parts.policy, question, { entity: now }), restrictions: [], entity: now };
  const changes = changesOf(ask);
  if (before.decision.enforced !== 'allow' || changes === undefined || ask.resource.id === null) return before;
  const then = await parts.entities.changed(ask.resource, changes);
  return { decision: evaluate(parts.policy, question, { entity: then }), restrictions: [], entity: then };
}

/** The scopes of the roles that alone would permit it. */
export function permittingScopes(policy: PolicyEngine, question: Question): readonly Scope[] {
  return question.principal.grants.flatMap(({ role, scope }) => {
    const alone = scope !== null && evaluate(policy, question, { inForce: [role] }).enforced === 'allow';
    return alone ? [scope] : [];
  });
}

function restrictionOf(policy: PolicyEngine, question: Question): Restriction {
  return { principalId: question.principal.id, scopes: permittingScopes(policy, question) };
}

function ruleOnKind(policy: PolicyEngine, question: Question, atMost: Decision): Ruling {
  const everywhere = evaluate(policy, question, {});
  if (everywhere.enforced === 'allow' || atMost.enforced !== 'allow') {
    return { decision: atMost.enforced === 'allow' ? everywhere : atMost, restrictions: [], entity: null };
  }
  return { decision: atMost, restrictions: [restrictionOf(policy, question)], entity: null };
}

async function ruleOnObject(parts: RuleParts, question: Question): Promise<Ruling> {
  const { policy } = parts;
  const { ask, principal } = question;
  const whole = (): Decision => evaluate(policy, question, {});
  // A right on everything needs no object, unless a policy reads attributes.
  const mayBeWhole = !policy.readsAttributes && principal.grants.some(({ scope }) => scope === null);
  if (mayBeWhole && whole().enforced === 'allow') return { decision: whole(), restrictions: [], entity: null };
  const flow = usedFlow(ask);
  if (flow !== undefined && !(await mayUse(parts, question, flow))) return { decision: refused(whole(), 'object-foreign'), restrictions: [], entity: null };
  const now = await entityOf(parts, question);
  if (now === null && mayBeAbsent(ask)) return evaluateUpperBound(parts, question);
  if (now === null) return ruleOnNothing(policy, whole());
  const before = ruleOnEntity(policy, question, now);
  // The answer names other objects as well.
  const isNaming = ask.inPath?.screened === true || isScreenedRead(ask.action);
  const isScreened = before.enforced === 'allow' && ask.inPath !== undefined && isNaming && whole().enforced !== 'allow';
  if (isScreened) return { decision: before, restrictions: [restrictionOf(policy, question)], entity: now };
  const changes = changesOf(ask);
  if (before.enforced !== 'allow' || changes === undefined) return { decision: before, restrictions: [], entity: now };
  const then = await parts.entities.changed(ask.resource, changes);
  if (then === null) return { decision: refused(whole(), 'object-foreign'), restrictions: [], entity: now };
  const { inPath: _, ...changed } = ask;
  const after = ruleOnEntity(policy, { ...question, ask: changed }, then);
  return { decision: after, restrictions: [], entity: then };
}

/**
 * A principal that adds a use to a flow sees the flow. Teams share a flow by its name, while its id appears in many places, so the id
 * alone gives no right. An absent flow counts as foreign.
 */
async function mayUse({ policy, entities, knowsFlow }: RuleParts, question: Question, { type, id }: Located): Promise<boolean> {
  const { principal } = question;
  if (maySee(policy, question, { type, id })) return true;
  const flow = await entities.find({ type, id });
  if (flow === null || id === null) return false;
  const inForce = principal.grants.flatMap(({ role, scope }) => (scope !== null && covers(scope, flow, principal.id) ? [role] : []));
  const reads = reading(question, 'flows.read', { type, id });
  if (flow.owner === principal.id || evaluate(policy, reads, { inForce, entity: flow }).enforced === 'allow') return true;
  return (await knowsFlow?.(principal.id, id)) === true;
}

/** The object does not exist: Prefect says so to a principal that may do it without a role with a scope. */
function ruleOnNothing({ readsAttributes }: PolicyEngine, whole: Decision): Ruling {
  const isAllowed = whole.enforced === 'allow' && !readsAttributes;
  return { decision: isAllowed ? whole : refused(whole, 'object-foreign'), restrictions: [], entity: null };
}

/** Null: the object in the path does not exist. Lictor decides other absent objects by their name. */
async function entityOf({ entities }: RuleParts, { ask, principal }: Question): Promise<Entity | null> {
  const { resource, on } = ask;
  if (on?.kind === 'created') return entities.created(resource.type, on.fields, principal.id);
  const object = objectOf(ask);
  const found = await entities.find(object);
  if (found !== null) return on?.kind !== 'related' || OF_ANY_KIND.includes(resource.type) ? found : { ...found, type: resource.type };
  if (ask.inPath !== undefined || mayBeAbsent(ask)) return null;
  return { ...(await entities.created(resource.type, { name: object.id }, '')), owner: null };
}

function mayBeAbsent({ on }: Ask): boolean {
  return on?.kind === 'related' && on.orAbsent === true;
}

function changesOf({ on }: Ask): JsonObject | undefined {
  return on?.kind === 'resource' ? on.changes : undefined;
}

/** The related object of an event or a limit may be of any kind, and its own kind decides whether a scope covers it. */
const OF_ANY_KIND: readonly ResourceType[] = ['Event', 'ConcurrencyLimit'];

function ruleOnEntity(policy: PolicyEngine, question: Question, entity: Entity): Decision {
  const { principal, ask } = question;
  const isWhole = (ask.on?.kind === 'resource' && ask.on.whole === true) || OF_THE_WHOLE.includes(ask.action);
  const isInside = ask.on?.kind === 'created' ? coversNew : isWhole ? coversWhole : covers;
  const holds = (scope: Scope): boolean => isInside(scope, entity, principal.id);
  const inForce = principal.grants.flatMap(({ role, scope }) => (scope !== null && holds(scope) ? [role] : []));
  const decision = evaluate(policy, question, { inForce, entity });
  if (decision.enforced === 'allow' || decision.reason === 'policy-forbids' || inForce.length > 0) return decision;
  const elsewhere = evaluate(policy, question, { inForce: rolesOfScopes(principal), entity }).enforced === 'allow';
  const isSeen = principal.grants.some(({ scope }) => scope !== null && covers(scope, entity, principal.id));
  if (ask.inPath !== undefined && !isSeen && !maySee(policy, question, ask.resource)) return refused(decision, 'object-foreign');
  return elsewhere ? refused(decision, 'scope-excludes') : decision;
}

/** Actions that affect all uses of a flow. */
const OF_THE_WHOLE: readonly ActionName[] = ['flows.write', 'flows.delete'];

/** A principal that may read the object gets the true reason. */
function maySee(policy: PolicyEngine, question: Question, { type, id }: Located): boolean {
  const action = READS[type];
  return action !== undefined && evaluate(policy, reading(question, action, { type, id }), {}).enforced === 'allow';
}

/** The question whether the principal may read the object, without the facts of the body. */
function reading({ principal, context }: Question, action: ActionName, resource: Located): Question {
  return { principal, ask: { action, resource }, context: { ...context, facts: {} } };
}

const READS: Readonly<Partial<Record<ResourceType, ActionName>>> = {
  Flow: 'flows.read',
  FlowRun: 'flow_runs.read',
  TaskRun: 'task_runs.read',
  Deployment: 'deployments.read',
  WorkPool: 'work_pools.read',
  WorkQueue: 'work_queues.read',
  Artifact: 'artifacts.read',
  Automation: 'automations.read',
  Variable: 'variables.read',
  BlockDocument: 'blocks.read',
  ConcurrencyLimit: 'concurrency.read',
};

function rolesOfScopes({ grants }: Principal): readonly string[] {
  return grants.flatMap(({ role, scope }) => (scope === null ? [] : [role]));
}

interface Given {
  readonly inForce?: readonly string[];
  readonly entity?: Entity | null;
  readonly atMost?: boolean;
}

function evaluate(policy: PolicyEngine, { principal, ask, context }: Question, given: Given): Decision {
  const { type, id } = ask.resource;
  return policy.evaluate({ principal, action: ask.action, resource: { type, id }, context, ...given });
}

export function refused(decision: Decision, reason: ReasonCode): Decision {
  const effect: Effect = 'deny';
  return { ...decision, effect, enforced: effect, reason };
}
