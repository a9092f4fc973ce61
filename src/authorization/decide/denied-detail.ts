// The detail of a denied right: the principal, the action, and the role that may do it. The same text on every path.

import type { Decision } from '../../contract/decision.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import { REASONS } from '../../contract/reasons.ts';
import { BUILT_IN_ROLES, type BuiltInRole } from '../../contract/roles.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { roleMay } from '../policy/table.ts';
import type { Authorization } from './decider.ts';

export interface Refusing {
  /** Of the request. */
  readonly method: string;
  /** Lictor has not read the body: one of these actions would suffice. */
  readonly any?: true;
}

/** Adds `detail` to a denied right. Other authorizations stay unchanged. */
export type WithDetail = (authorization: Authorization, refusing: Refusing) => Authorization;

export function createWithDetail(policy: PolicyEngine): WithDetail {
  const known = new Map<string, readonly BuiltInRole[]>();
  const permitting = ({ action, resource: { type } }: Decision): readonly BuiltInRole[] => {
    const key = `${action} ${type}`;
    const roles = known.get(key) ?? BUILT_IN_ROLES.filter((role) => roleMay(policy, role, { name: action, resources: [type] }));
    known.set(key, roles);
    return roles;
  };
  const remedy = (principal: Principal, denied: Decision, others: readonly Decision[]): string => {
    const { action, resource } = denied;
    if (policy.conditional.permitting({ principal, action, type: resource.type }).length > 0) return ELSEWHERE;
    if (principal.kind === 'run') return permitting(denied).includes('run') ? OF_WORKER : OF_NO_RUN;
    const role = missingRole(principal, permitting(denied));
    const easier = others.map((other) => ({ other, role: missingRole(principal, permitting(other)) })).find((each) => isSmaller(each.role, role));
    const further = easier === undefined ? '' : `, and role ${easier.role} may ${actionWords(easier.other.action)}`;
    return `; ${role === undefined ? 'no built-in role' : `role ${role}`} may${further}.`;
  };
  return (authorization, { method, any }) => {
    if (authorization.ok || authorization.principal === null || authorization.reason === 'object-foreign') return authorization;
    const { principal, reason, decisions } = authorization;
    const all = decisions.filter((decision) => decision.enforced !== 'allow' && decision.reason === reason);
    // Of alternatives, the one that the principal itself may do says more.
    const denied = (any === true ? all.find(({ lackedBy }) => lackedBy !== undefined) : undefined) ?? all[0];
    if (denied === undefined) return authorization;
    const { lackedBy } = denied;
    const lacking = chainOf(principal).find(({ id }) => id === lackedBy) ?? principal;
    const others = any ? decisions.filter((decision) => decision.lackedBy === lackedBy) : [];
    const why = reason === 'policy-default-deny' ? remedy(lacking, denied, others) : `. ${REASONS[reason].detail}`;
    const subject = lacking === principal ? who(principal) : `${who(lacking)}, for whom ${principal.id.slice(0, NAME_LETTERS)} acts,`;
    return { ...authorization, detail: safe(`${subject} may not ${actionWords(denied.action, method)} (${denied.action})${why}`) };
  };
}

/** Names no role: the person would give more than the policy means to. */
const ELSEWHERE = '; an own policy permits it only on other objects or under other conditions.';
/** The rights of a run come from its worker's scope alone. No role of a person is a remedy. */
const OF_WORKER = '; the roles of its worker do not cover this. See docs/reference/run-rights.md.';
const OF_NO_RUN =
  '; no flow run may, whatever roles its worker and its starter have. The flow can use a service token, or an own policy can permit it. See docs/reference/run-rights.md.';

const NAME_LETTERS = 200;

/** The text names no object: a principal with a scope must not learn a name from a refusal. */
function who({ id, roles }: Principal): string {
  const held = [...new Set(roles)].join(', ');
  return `${id.slice(0, NAME_LETTERS)} (${held === '' ? 'no role' : held})`;
}

/** The first one, in the order from least to most. A role that the principal holds everywhere did not suffice. */
function missingRole({ grants }: Principal, permitting: readonly BuiltInRole[]): BuiltInRole | undefined {
  return permitting.find((name) => !grants.some((grant) => grant.scope === null && grant.role === name));
}

function isSmaller(role: BuiltInRole | undefined, than: BuiltInRole | undefined): boolean {
  return role !== undefined && (than === undefined || BUILT_IN_ROLES.indexOf(role) < BUILT_IN_ROLES.indexOf(than));
}

/** Goes into a header, a JSON string and HTML text as it is: every other character is percent-encoded. */
function safe(text: string): string {
  return text.toWellFormed().replaceAll(/[^A-Za-z0-9 _.,:;@()/*=+~!?#'-]/gu, encodeURIComponent);
}
