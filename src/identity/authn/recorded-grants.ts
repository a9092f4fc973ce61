// Roles in the form of a ledger record: who gets which role, on which objects, from which networks, until when, and by which rule.
import type { Config, RoleBinding } from '../../config/config.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import { scopeText } from '../../contract/scope.ts';
import type { SessionOwner } from '../../store/owners.ts';
import { accountHolder, type Holder, identityHolder, roleOrigins } from './role-origins.ts';

export interface Held {
  /** The principal that gets the roles. */
  readonly principal: string;
  readonly networks?: readonly string[];
  /** Null: the roles do not expire. */
  readonly expiresMs: number | null;
}

/** The holder's own roles, and those that lictor.yaml binds to it. */
export function recordedGrants(holder: Holder, bindings: readonly RoleBinding[], { principal, networks = [], expiresMs }: Held): readonly RecordedGrant[] {
  const expiresAt = expiresMs === null ? null : new Date(expiresMs).toISOString();
  return roleOrigins(holder, bindings).map(({ role, scope, from }) => ({ expires_at: expiresAt, members: [principal], networks, role, rules: from, scope }));
}

/** The roles of a login, until it ends. */
export function grantsOfLogin(owner: SessionOwner, { roles }: Pick<Config, 'roles'>, held: Held): readonly RecordedGrant[] {
  const idp = held.principal.slice(held.principal.lastIndexOf('@') + 1);
  return recordedGrants(owner.kind === 'account' ? accountHolder(owner.account, idp) : identityHolder(owner.identity, roles), roles, held);
}

/** The roles of lictor.yaml, by member. The gateway need not have seen the members. */
export function boundGrants(bindings: readonly RoleBinding[]): readonly RecordedGrant[] {
  return bindings.map(({ role, scope, members }, index) => ({
    expires_at: null,
    members,
    networks: [],
    role,
    rules: [`lictor.yaml roles[${index}]`],
    scope: scope === null ? null : scopeText(scope),
  }));
}
