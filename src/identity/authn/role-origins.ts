// Where each role of a principal comes from: given with the account or token, or bound in lictor.yaml.
import type { Agent, RoleBinding } from '../../config/config.ts';
import type { Identity } from '../../contract/identity.ts';
import { type Scope, scopeText } from '../../contract/scope.ts';
import { claimMembers, identityMembers } from './roles.ts';

export interface RoleOrigin {
  readonly role: string;
  /** The scope, as lictor.yaml spells it. Null: all objects. */
  readonly scope: string | null;
  /** For people: `account alice`, `lictor.yaml roles[1]: *@local`. */
  readonly from: readonly string[];
}

export interface Holder {
  /** Roles given with the account or token, and its name. */
  readonly own: readonly string[];
  readonly ownSource: string;
  /** The scope of the own roles. */
  readonly ownScope?: Scope | null;
  /** The members of lictor.yaml that match it. */
  readonly members: readonly string[];
}

interface Own {
  readonly name: string;
  readonly roles: readonly string[];
  readonly scope: Scope | null;
}

export function tokenHolder({ name, roles, scope }: Own): Holder {
  return { own: roles, ownSource: `token ${name}`, ownScope: scope, members: [`token:${name}`] };
}

export function accountHolder({ name, roles, scope }: Own, idp: string): Holder {
  return { own: roles, ownSource: `account ${name}`, ownScope: scope, members: [`user:${name}@${idp}`, `*@${idp}`] };
}

export function identityHolder(identity: Identity, bindings: readonly RoleBinding[]): Holder {
  return { own: [], ownSource: '', members: [...new Set([...identityMembers(identity), ...claimMembers(bindings, identity)])] };
}

/** The roles of an agent: those of its entry in lictor.yaml, and no others. */
export function agentOrigins(name: string, agents: readonly Agent[]): readonly RoleOrigin[] {
  const index = agents.findIndex((agent) => agent.name === name);
  const grants = agents[index]?.grants ?? [];
  return grants.map(({ role, scope }) => ({ role, scope: scope === null ? null : scopeText(scope), from: [`lictor.yaml agents[${index}]`] }));
}

/** Sorted by role. The roles are those of the role book of src/identity/authn (tested). */
export function roleOrigins({ own, ownSource, ownScope = null, members }: Holder, bindings: readonly RoleBinding[]): readonly RoleOrigin[] {
  const origins = new Map<string, { readonly role: string; readonly scope: string | null; readonly from: string[] }>();
  const add = (role: string, scope: Scope | null, from: string): void => {
    const text = scope === null ? null : scopeText(scope);
    const known = origins.get(`${role} ${text}`) ?? { role, scope: text, from: [] };
    known.from.push(from);
    origins.set(`${role} ${text}`, known);
  };
  for (const role of new Set(own)) add(role, ownScope, ownSource);
  for (const [index, binding] of bindings.entries()) {
    const named = members.filter((member) => binding.members.includes(member));
    for (const member of named) add(binding.role, binding.scope, `lictor.yaml roles[${index}]: ${member}`);
  }
  return [...origins.values()].sort((a, b) => (`${a.role} ${a.scope}` < `${b.role} ${b.scope}` ? -1 : 1));
}
