// Which roles a principal has, and on which objects: its own roles, and those that the configuration binds to it.
import type { RoleBinding } from '../../config/config.ts';
import { matchesGlob } from '../../contract/glob.ts';
import type { Identity } from '../../contract/identity.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, type Grant, type Scope } from '../../contract/scope.ts';

export interface RoleBook {
  /** With the roles from the creation of the account. Sorted by role, without duplicates. */
  ofAccount(account: Holder, idp: string): readonly Grant[];
  ofToken(token: Holder): readonly Grant[];
  ofIdentity(identity: Identity): readonly Grant[];
  /** Names of the provider's groups that have a role here, in the order of the configuration. */
  groupsOf(idp: string): readonly string[];
}

export interface Holder {
  readonly name: string;
  readonly roles: readonly string[];
  /** The scope of these roles. Null: all objects. */
  readonly scope: Scope | null;
}

/** Members are compared literally; only the value of `claim:KEY=VALUE@IDP` is a pattern. The configuration was checked for the forms that each provider knows. */
export function createRoleBook(bindings: readonly RoleBinding[]): RoleBook {
  const byMember = new Map<string, Grant[]>();
  const byClaim = new Map<string, ClaimRule[]>();
  for (const { role, scope, members } of bindings) {
    const grant: Grant = { role, scope };
    for (const member of members) {
      byMember.set(member, [...(byMember.get(member) ?? []), grant]);
      const claim = parseClaimMember(member);
      if (claim !== undefined) byClaim.set(claim.idp, [...(byClaim.get(claim.idp) ?? []), { ...claim, grant }]);
    }
  }
  const gather = (own: readonly Grant[], members: readonly string[]): readonly Grant[] =>
    distinctGrants([...own, ...members.flatMap((member) => byMember.get(member) ?? [])]);
  return {
    ofAccount: (account, idp) => gather(ownGrants(account), [`user:${account.name}@${idp}`, `*@${idp}`]),
    ofToken: (token) => gather(ownGrants(token), [`token:${token.name}`]),
    ofIdentity: (identity) => {
      const claimed = (byClaim.get(identity.idp) ?? []).filter((rule) => fits(rule, identity.claims)).map(({ grant }) => grant);
      return gather(claimed, identityMembers(identity));
    },
    groupsOf: (idp) => [...byMember.keys()].flatMap((member) => groupName(member, idp) ?? []),
  };
}

function ownGrants({ roles, scope }: Holder): readonly Grant[] {
  return scope === null ? everywhere(roles) : roles.map((role) => ({ role, scope }));
}

/** A role on all objects makes a narrower one of the same role redundant. */
export function distinctGrants(grants: readonly Grant[]): readonly Grant[] {
  const whole = new Set(grants.flatMap(({ role, scope }) => (scope === null ? [role] : [])));
  const remaining = grants.filter(({ role, scope }) => scope === null || !whole.has(role));
  const byText = new Map(remaining.map((grant) => [`${grant.role} ${JSON.stringify(grant.scope)}`, grant]));
  return [...byText.keys()].sort().flatMap((key) => byText.get(key) ?? []);
}

/** Every member text that names this identity, without claims. */
export function identityMembers({ idp, name, groups }: Pick<Identity, 'idp' | 'name' | 'groups'>): readonly string[] {
  return [`user:${name}@${idp}`, `*@${idp}`, ...groups.map((group) => `group:${group}@${idp}`), ...(name.startsWith('arn:') ? [`${name}@${idp}`] : [])];
}

/** True when the member, as lictor.yaml writes it, is this principal or a group of it. */
export function isMember(principal: Principal, member: string): boolean {
  const { id, idp, groups, attributes } = principal;
  if (idp === null) return member === id;
  const claim = parseClaimMember(member);
  if (claim !== undefined) return claim.idp === idp && fits(claim, attributes);
  return identityMembers({ idp, name: id.slice(0, -(idp.length + 1)), groups }).includes(member);
}

/** `group:NAME@IDP`, of this provider. */
function groupName(member: string, idp: string): string | undefined {
  return member.startsWith('group:') && member.endsWith(`@${idp}`) ? member.slice('group:'.length, -(idp.length + 1)) : undefined;
}

/** Every `claim:` member of the bindings that matches this identity. */
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
  readonly grant: Grant;
}

/** `claim:KEY=VALUE@IDP`. Undefined: another form. */
export function parseClaimMember(member: string): ClaimMember | undefined {
  const match = /^claim:([^=]+)=(.*)@([a-z0-9-]+)$/u.exec(member);
  const [, key, pattern, idp] = match ?? [];
  return key === undefined || pattern === undefined || idp === undefined ? undefined : { key, pattern, idp };
}

/** Own keys alone: a claim must not match a property of Object.prototype. */
export function fits({ key, pattern }: Pick<ClaimMember, 'key' | 'pattern'>, claims: Identity['claims']): boolean {
  const value = Object.hasOwn(claims, key) ? claims[key] : undefined;
  return value !== undefined && matchesGlob(pattern, value);
}
