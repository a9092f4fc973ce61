// The rules of `approvals` as conditions: one a rule, and a request must meet all.
import type { ApprovalRule } from '../../config/config.ts';
import type { Operation } from '../../contract/operation.ts';
import type { NeedsApproval } from '../decide/needs-approval.ts';
import type { Condition, PermittedRequest } from '../mediate/conditions.ts';
import type { Hold } from './hold.ts';
import { isAbout } from './requester.ts';

export function createApprovalConditions(rules: readonly ApprovalRule[], hold: Hold): readonly Condition[] {
  return rules.map((rule) => ({
    concerns: (principal) => isAbout(rule, principal),
    reads: (operation) => mayNeed(operation, rule),
    check: async (request) => (holds(rule, request) ? await hold(request, rule) : { ok: true }),
  }));
}

export function createNeedsApproval(rules: readonly ApprovalRule[]): NeedsApproval {
  return (principal, action) => rules.some((rule) => rule.actions.includes(action) && isAbout(rule, principal));
}

/** Holds that no rule asks for: the first rule about the requester with a `notify` announces them. */
export function announcedByRule(rules: readonly ApprovalRule[], hold: Hold): Hold {
  return (request, rule) => {
    const announcing = rules.find((each) => each.notify !== null && isAbout(each, request.authorization.principal));
    return hold(request, { ...rule, announcedBy: announcing?.name });
  };
}

/** The rules that hold the request. */
export function rulesFor(rules: readonly ApprovalRule[], request: PermittedRequest): readonly ApprovalRule[] {
  return rules.filter((rule) => isAbout(rule, request.authorization.principal) && holds(rule, request));
}

function holds({ actions }: ApprovalRule, { authorization }: PermittedRequest): boolean {
  return authorization.decisions.some(({ action }) => actions.includes(action));
}

/** On the direct path only the query can change the action of an operation. */
function mayNeed({ taken, decidingQuery, action }: Operation, { actions }: ApprovalRule): boolean {
  return taken === 'mediated' || decidingQuery.length > 0 || actions.includes(action);
}
