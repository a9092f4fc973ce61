// Why a request was allowed or denied, as the end of a sentence.

/** A built-in policy with such a name is the role. */
const ROLES: readonly string[] = ['viewer', 'operator', 'deployer', 'worker', 'agent', 'auditor', 'admin'];

export function isRole(policy: string): boolean {
  return ROLES.includes(policy);
}

/** `the role operator and the policy night-shift`. */
export function policyWords(policies: readonly string[]): string {
  return policies.map((name) => `the ${policyName(name)}`).join(' and ');
}

/** `role operator`. */
export function policyName(name: string): string {
  return `${isRole(name) ? 'role' : 'policy'} ${name}`;
}

export interface Verdict {
  readonly decision: 'allow' | 'deny' | null;
  readonly reason: string | null;
  readonly policies: readonly string[];
}

/** Of a request that took effect: with `deny`, observe mode let it through. */
export function verdictWords({ decision, reason, policies }: Verdict): string {
  const by = policies.length === 0 ? '' : ` by ${policyWords(policies)}`;
  if (decision === 'allow') return `allowed${by}`;
  return `not allowed${by} (${reason ?? 'no reason'}): observe mode let it through`;
}

interface Holder {
  readonly kind: string;
  readonly roles: readonly { readonly role: string; readonly scope: string | null }[];
}

/** `Today the role operator holds on tags=team-a.` Empty: nothing is known of it. The role of an agent's policy may be that of its sponsor. */
export function roleTodayWords(name: string, { kind, roles }: Holder): string {
  const scopes = roles.filter(({ role }) => role === name).map(({ scope }) => scope);
  if (scopes.includes(null)) return `Today the role ${name} holds on everything.`;
  if (scopes.length > 0) return `Today the role ${name} holds on ${scopes.join(' or ')}.`;
  return roles.length === 0 || kind === 'agent' ? '' : `Today the principal does not have the role ${name}.`;
}
