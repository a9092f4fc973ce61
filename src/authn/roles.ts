// Which roles a principal has: its own, and what the configuration binds to it.
import type { RoleBinding } from '../config/config.ts';
import { matchesGlob } from '../contract/glob.ts';
import type { Identity } from '../contract/identity.ts';

export interface RoleBook {
  /** `own` are the roles given when the account was made. Sorted, without doubles. */
  ofAccount(account: { readonly name: string; readonly roles: readonly string[] }, idp: string): readonly string[];
  ofToken(token: { readonly name: string; readonly roles: readonly string[] }): readonly string[];
  ofIdentity(identity: Identity): readonly string[];
  /** Names of the provider's groups that have a role here, as the configuration lists them. */
  groupsOf(idp: string): readonly string[];
}

/** Members are compared as written; only the value of `claim:KEY=VALUE@IDP` is a pattern. Which forms a provider knows was checked when the configuration was loaded. */
export function createRoleBook(bindings: readonly RoleBinding[]): RoleBook {
  const byMember = new Map<string, string[]>();
  const byClaim = new Map<string, ClaimRule[]>();
  for (const { role, members } of bindings) {
    for (const member of members) {
      byMember.set(member, [...(byMember.get(member) ?? []), role]);
      const claim = parseClaimMember(member);
      if (claim !== undefined) byClaim.set(claim.idp, [...(byClaim.get(claim.idp) ?? []), { ...claim, role }]);
    }
  }
  const gather = (own: readonly string[], members: readonly string[]): readonly string[] =>
    [...new Set([...own, ...members.flatMap((member) => byMember.get(member) ?? [])])].sort();
  return {
    ofAccount: ({ name, roles }, idp) => gather(roles, [`user:${name}@${idp}`, `*@${idp}`]),
    ofToken: ({ name, roles }) => gather(roles, [`token:${name}`]),
    ofIdentity: (identity) => {
      const claimed = (byClaim.get(identity.idp) ?? []).filter((rule) => fits(rule, identity.claims)).map(({ role }) => role);
      return gather(claimed, identityMembers(identity));
    },
    groupsOf: (idp) => [...byMember.keys()].flatMap((member) => groupName(member, idp) ?? []),
  };
}

/** Every member text that names this identity, claims aside. */
export function identityMembers({ idp, name, groups }: Identity): readonly string[] {
  return [`user:${name}@${idp}`, `*@${idp}`, ...groups.map((group) => `group:${group}@${idp}`), ...(name.startsWith('arn:') ? [`${name}@${idp}`] : [])];
}

/** The `claim:` members of the bindings that name this identity. */
export function claimMembersOf(identity: Identity, bindings: readonly RoleBinding[]): readonly string[] {
  return bindings.flatMap(({ members }) =>
    members.filter((member) => {
      const rule = parseClaimMember(member);
      return rule !== undefined && rule.idp === identity.idp && fits(rule, identity.claims);
    }),
  );
}

/** `group:NAME@IDP`, of this provider. */
function groupName(member: string, idp: string): string | undefined {
  return member.startsWith('group:') && member.endsWith(`@${idp}`) ? member.slice('group:'.length, -(idp.length + 1)) : undefined;
}

/** Every `claim:` member of the bindings that this identity fits. */
export function claimMembers(bindings: readonly RoleBinding[], { idp, claims }: Pick<Identity, 'idp' | 'claims'>): readonly string[] {
  return bindings.flatMap(({ members }) =>
    members.filter((member) => {
      const claim = parseClaimMember(member);
      return claim !== undefined && claim.idp === idp && fits(claim, claims);
    }),
  );
}

export interface ClaimMember {
  readonly key: string;
  readonly pattern: string;
  readonly idp: string;
}

interface ClaimRule extends ClaimMember {
  readonly role: string;
}

/** `claim:KEY=VALUE@IDP`; undefined: another form. */
export function parseClaimMember(member: string): ClaimMember | undefined {
  const match = /^claim:([^=]+)=(.*)@([a-z0-9-]+)$/u.exec(member);
  const [, key, pattern, idp] = match ?? [];
  return key === undefined || pattern === undefined || idp === undefined ? undefined : { key, pattern, idp };
}

/** Own keys alone: a claim named like something of every object is none. */
function fits({ key, pattern }: Pick<ClaimMember, 'key' | 'pattern'>, claims: Identity['claims']): boolean {
  const value = Object.hasOwn(claims, key) ? claims[key] : undefined;
  return value !== undefined && matchesGlob(pattern, value);
}
