// Where each role of a principal comes from: given with the account or token, or bound in lictor.yaml.
import type { RoleBinding } from '../config/config.ts';

export interface RoleOrigin {
  readonly role: string;
  /** For people: `account alice`, `lictor.yaml roles[1]: *@local`. */
  readonly from: readonly string[];
}

export interface Holder {
  /** Roles given with the thing itself, and what it is called. */
  readonly own: readonly string[];
  readonly ownSource: string;
  /** How roles in lictor.yaml may name it. */
  readonly members: readonly string[];
}

/** Sorted by role; the same roles as the role book of src/authn gives (tested). */
export function roleOrigins({ own, ownSource, members }: Holder, bindings: readonly RoleBinding[]): readonly RoleOrigin[] {
  const origins = new Map<string, string[]>();
  const add = (role: string, from: string) => origins.set(role, [...(origins.get(role) ?? []), from]);
  for (const role of new Set(own)) add(role, ownSource);
  for (const [index, binding] of bindings.entries()) {
    const named = members.filter((member) => binding.members.includes(member));
    for (const member of named) add(binding.role, `lictor.yaml roles[${index}]: ${member}`);
  }
  return [...origins].map(([role, from]) => ({ role, from })).sort((a, b) => (a.role < b.role ? -1 : 1));
}
