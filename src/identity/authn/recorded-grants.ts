// Roles in the form in which a record of the ledger has them: who gets which, on what, from where, until when, and by which rule.
import type { Config, RoleBinding } from '../../config/config.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import { scopeText } from '../../contract/scope.ts';
import type { SessionOwner } from '../../store/owners.ts';
import { accountHolder, type Holder, identityHolder, roleOrigins } from './role-origins.ts';

export interface Held {
  /** Who gets the roles. */
  readonly principal: string;
  readonly networks?: readonly string[];
  /** Null: the roles do not end by themselves. */
  readonly expiresMs: number | null;
}

/** The holder's own roles, and those that lictor.yaml binds to it. */
export function recordedGrants(holder: Holder, bindings: readonly RoleBinding[], { principal, networks = [], expiresMs }: Held): readonly RecordedGrant[] {
  const expiresAt = expiresMs === null ? null : new Date(expiresMs).toISOString();
  return roleOrigins(holder, bindings).map(({ role, scope, from }) => ({ expires_at: expiresAt, members: [principal], networks, role, rules: from, scope }));
}

/** What a login gives, until it ends. */
export function grantsOfLogin(owner: SessionOwner, { roles }: Pick<Config, 'roles'>, held: Held): readonly RecordedGrant[] {
  const idp = held.principal.slice(held.principal.lastIndexOf('@') + 1);
  return recordedGrants(owner.kind === 'account' ? accountHolder(owner.account, idp) : identityHolder(owner.identity, roles), roles, held);
}

/** What lictor.yaml gives, member by member, whether or not the gateway has seen them. */
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
