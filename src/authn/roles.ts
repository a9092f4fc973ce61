// Which roles a principal has: its own, and what the configuration binds to it.
import type { RoleBinding } from '../config/config.ts';

export interface RoleBook {
  /** `own` are the roles given when the account was made. Sorted, without doubles. */
  ofAccount(account: { readonly name: string; readonly roles: readonly string[] }, idp: string): readonly string[];
  ofToken(token: { readonly name: string; readonly roles: readonly string[] }): readonly string[];
}

/** Members are compared as written: `user:NAME@IDP`, `*@IDP`, `token:NAME`. Other kinds are refused when the configuration is loaded. */
export function createRoleBook(bindings: readonly RoleBinding[]): RoleBook {
  const byMember = new Map<string, string[]>();
  for (const { role, members } of bindings) {
    for (const member of members) byMember.set(member, [...(byMember.get(member) ?? []), role]);
  }
  const gather = (own: readonly string[], members: readonly string[]): readonly string[] =>
    [...new Set([...own, ...members.flatMap((member) => byMember.get(member) ?? [])])].sort();
  return {
    ofAccount: ({ name, roles }, idp) => gather(roles, [`user:${name}@${idp}`, `*@${idp}`]),
    ofToken: ({ name, roles }) => gather(roles, [`token:${name}`]),
  };
}
