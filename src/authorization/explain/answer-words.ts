// The first sentence of an explanation: which roles the principal has, and whether one of them permits this.
import { chainOf } from '../../contract/principal.ts';
import type { RoleOrigin } from '../../identity/authn/role-origins.ts';
import { roleMay } from '../policy/table.ts';
import type { ExplainerParts, Findings } from './explainer.ts';
import type { ExplainedAsk } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

/** Undefined: something else decides than the roles of this one principal, such as a forbid, or the sponsor of an agent. */
export function answerWords(parts: Pick<ExplainerParts, 'policy'>, person: ResolvedPrincipal, findings: Findings): string | undefined {
  const { principal, hypothetical, roles } = person;
  const ask = findings.asks?.find(({ decision, reason }) => decision === findings.decision && reason === findings.reason);
  if (ask === undefined || principal.kind === 'run' || chainOf(principal).length > 1) return undefined;
  if (hypothetical) return ofRole(principal.id, ask);
  if (findings.decision === 'allow') return allowed(principal.id, roles, ask);
  if (ask.reason !== 'policy-default-deny' && ask.reason !== 'object-foreign') return undefined;
  const enough = roles.filter(({ role }) => roleMay(parts.policy, role, { name: ask.action, resources: [ask.resource_type] }));
  if (enough.length === 0) return denied(principal.id, [...new Set(roles.map(({ role }) => role))]);
  return enough.some(({ scope }) => scope === null) ? undefined : `${principal.id} has the role ${held(enough)} only: that does not include this.`;
}

/** `role:viewer`: a question about the role, not about a principal. */
function ofRole(id: string, { decision, reason, policies }: ExplainedAsk): string | undefined {
  const [, role] = /^role:(.+)$/.exec(id) ?? [];
  if (role === undefined) return undefined;
  if (decision === 'allow') return policies.some((policy) => policy.id === role) ? `The role ${role} permits this.` : undefined;
  return reason === 'policy-default-deny' ? `The role ${role} does not permit this.` : undefined;
}

function allowed(id: string, roles: readonly RoleOrigin[], { policies }: ExplainedAsk): string | undefined {
  const deciding = roles.filter(({ role }) => policies.some((policy) => policy.id === role));
  return deciding.length === 0 ? undefined : `${id} has the role ${held(deciding)}, which permits this.`;
}

function denied(id: string, roles: readonly string[]): string {
  const [only, ...others] = roles;
  if (only === undefined) return `${id} has no role, and no policy permits this to it.`;
  if (others.length === 0) return `${id} has only the role ${only}; ${only} does not permit this.`;
  return `${id} has only the roles ${roles.join(', ')}; none of them permits this.`;
}

/** `operator on tags=team-a or on tags=team-b`. */
function held(roles: readonly RoleOrigin[]): string {
  const [first] = roles;
  const scopes = roles.filter(({ role }) => role === first?.role).map(({ scope }) => scope);
  return `${first?.role ?? ''}${scopes.some((scope) => scope === null) ? ' on everything' : ` on ${[...new Set(scopes)].join(' or on ')}`}`;
}
