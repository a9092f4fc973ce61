// What observe mode lets through on the mediated path, and what the record says about it.
import { isObservable } from '../../contract/observable.ts';
import type { Operation } from '../../contract/operation.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Authorization } from '../decide/decider.ts';
import { decisionFields, type Said } from '../decide/observe.ts';
import { refusalFor } from './decide-plan.ts';
import type { Plan, Refusal } from './handler.ts';
import type { Narrowed } from './lists/narrowed.ts';

type Allowed = Extract<Authorization, { ok: true }>;

/** The refusal of the plan, as `refusalFor`. For an observed principal: only what is always enforced. */
export function enforcedRefusal(plan: Plan, authorization: Authorization, operation: Operation): Refusal | undefined {
  if (!authorization.ok || authorization.instead === undefined) return refusalFor(plan, authorization, operation);
  const bounds = [plan.problem, plan.objection?.(authorization.principal)];
  return bounds.find((refusal) => refusal !== undefined && !isObservable(refusal.code));
}

/** What the record of a request that goes to Prefect says. */
export function saidOfForwarded(plan: Plan, authorization: Allowed, operation: Operation): Said {
  const { instead } = authorization;
  if (instead === undefined) return decisionFields(authorization);
  const refusal = refusalFor(plan, instead, operation);
  return refusal === undefined ? decisionFields(authorization) : deniedInstead(refusal.code);
}

/** The same for a list: enforcement would narrow it, or reject it. `narrow` narrows to these restrictions, and nothing is done with its result. */
export async function saidOfList(
  said: Said,
  { instead }: Allowed,
  narrow: (restrictions: Allowed['restrictions']) => Promise<Narrowed | Refusal>,
): Promise<Said> {
  if (said.reason !== 'scope-narrows' || instead?.ok !== true) return said;
  const narrowed = await narrow(instead.restrictions).catch(() => undefined);
  if (narrowed === undefined) return said;
  if (!('ok' in narrowed)) return said;
  return narrowed.ok || !isObservable(narrowed.refusal.code) ? said : deniedInstead(narrowed.refusal.code);
}

/** For the client of an observed request that enforcement would deny. */
export function wouldDenyHeader({ decision, reason }: Said): Readonly<Record<string, string>> {
  return decision === 'deny' ? { 'x-lictor-would-deny': reason } : {};
}

function deniedInstead(reason: ReasonCode): Said {
  return { decision: 'deny', reason, mode: 'observe' };
}
