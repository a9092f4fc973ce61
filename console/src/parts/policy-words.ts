// Why a request was allowed or denied, as the end of a sentence.

/** A built-in policy with such a name is the role. */
const ROLES: readonly string[] = ['viewer', 'operator', 'deployer', 'worker', 'agent', 'auditor', 'admin'];

/** `the role operator and the policy night-shift`. */
export function policyWords(policies: readonly string[]): string {
  return policies.map((name) => `the ${policyName(name)}`).join(' and ');
}

/** `role operator`. */
export function policyName(name: string): string {
  return `${ROLES.includes(name) ? 'role' : 'policy'} ${name}`;
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
