// Decides a plan and words its refusal, for real requests and for `lictor explain`.
import type { Decision } from '../../contract/decision.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Authorization, Decider } from '../decide/decider.ts';
import { tagRefusal } from './guarded-tags.ts';
import { asksOf, type Call, type Plan, type Refusal } from './handler.ts';
import { narrowOf } from './lists/table.ts';
import { distinctAsks } from './template-references.ts';

export interface DecidedPlan {
  /** The plan without foreign objects, which is what Lictor decided. */
  readonly plan: Plan;
  readonly authorization: Authorization;
}

/** Lictor treats foreign objects among many as if they did not exist. */
export async function decidePlan(decider: Pick<Decider, 'authorizeNow'>, call: Call, plan: Plan): Promise<DecidedPlan> {
  const decided = await decideAsks(decider, call, plan);
  const further = decided.authorization.ok ? await plan.further?.() : undefined;
  if (further === undefined || further.length === 0) return decided;
  const whole = { ...decided.plan, asks: distinctAsks([...decided.plan.asks, ...further]) };
  return { plan: whole, authorization: await decider.authorizeNow(call.inputs, asksOf(call, whole.asks)) };
}

async function decideAsks(decider: Pick<Decider, 'authorizeNow'>, call: Call, plan: Plan): Promise<DecidedPlan> {
  const authorization = await decider.authorizeNow(call.inputs, asksOf(call, plan.asks));
  const denied = deniedIn(authorization);
  const foreign = denied.flatMap(({ reason, resource }) => (reason === 'scope-excludes' && resource.id !== null ? [resource.id] : []));
  if (plan.without === undefined || foreign.length === 0) return { plan, authorization };
  const rest = await plan.without(new Set(foreign));
  return { plan: rest, authorization: await decider.authorizeNow(call.inputs, asksOf(call, rest.asks)) };
}

/** Undefined: Lictor may forward the request. A foreign object takes precedence over every other problem of the request. */
export function refusalFor(plan: Plan, authorization: Authorization, operation: Operation): Refusal | undefined {
  const denied = deniedIn(authorization);
  if (denied.some(({ reason }) => reason === 'object-foreign')) return { code: 'object-foreign' };
  // An upsert names the foreign object only in its body.
  if (plan.problem !== undefined && !denied.some(({ reason }) => reason === 'scope-excludes')) return plan.problem;
  if (authorization.ok) {
    const objection = plan.objection?.(authorization.principal);
    if (objection !== undefined) return objection;
    const isNarrow = authorization.restrictions.length === 0 || narrowOf(operation) !== undefined;
    return isNarrow ? undefined : { code: 'scope-not-filterable' };
  }
  return tagRefusal(plan, authorization) ?? plan.refusal?.(denied) ?? refusalOf(authorization);
}

/** With the decision's own reason and detail. */
export function refusalOf({ reason, detail }: Extract<Authorization, { ok: false }>): Refusal {
  return { code: reason, ...(detail !== undefined && { detail }) };
}

function deniedIn({ decisions }: Authorization): readonly Decision[] {
  return decisions.filter((decision) => decision.enforced !== 'allow');
}
