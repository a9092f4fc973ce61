// Roles in the form of a ledger record: who gets which role, on which objects, from which networks, until when, and by which rule.
import type { Agent, Config, RoleBinding } from '../../config/config.ts';
import { agentId } from '../../contract/principal.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import { scopeText } from '../../contract/scope.ts';
import type { SessionOwner } from '../../store/owners.ts';
import { accountHolder, agentOrigins, type Holder, identityHolder, type RoleOrigin, roleOrigins } from './role-origins.ts';

export interface Held {
  /** The principal that gets the roles. */
  readonly principal: string;
  readonly networks?: readonly string[];
  /** Null: the roles do not expire. */
  readonly expiresMs: number | null;
}

/** The holder's own roles, and those that lictor.yaml binds to it. */
export function recordedGrants(holder: Holder, bindings: readonly RoleBinding[], held: Held): readonly RecordedGrant[] {
  return recorded(roleOrigins(holder, bindings), held);
}

/** The roles of the agent with this name, which are bounded by the rights of its sponsor. */
export function grantsOfAgent(name: string, agents: readonly Agent[], held: Omit<Held, 'principal'>): readonly RecordedGrant[] {
  return recorded(agentOrigins(name, agents), { ...held, principal: agentId(name) });
}

function recorded(origins: readonly RoleOrigin[], { principal, networks = [], expiresMs }: Held): readonly RecordedGrant[] {
  const expiresAt = expiresMs === null ? null : new Date(expiresMs).toISOString();
  return origins.map(({ role, scope, from }) => ({ expires_at: expiresAt, members: [principal], networks, role, rules: from, scope }));
}

/** The roles of a login, until it ends. */
export function grantsOfLogin(owner: SessionOwner, { roles }: Pick<Config, 'roles'>, held: Held): readonly RecordedGrant[] {
  const idp = held.principal.slice(held.principal.lastIndexOf('@') + 1);
  return recordedGrants(owner.kind === 'account' ? accountHolder(owner.account, idp) : identityHolder(owner.identity, roles), roles, held);
}

/** The roles of lictor.yaml, by member, and those of agents. The gateway need not have seen them. */
export function boundGrants({ roles, agents }: Pick<Config, 'roles' | 'agents'>): readonly RecordedGrant[] {
  const bound = roles.map(({ role, scope, members }, index) => ({
    expires_at: null,
    members,
    networks: [],
    role,
    rules: [`lictor.yaml roles[${index}]`],
    scope: scope === null ? null : scopeText(scope),
  }));
  return [...bound, ...agents.flatMap(({ name }) => grantsOfAgent(name, agents, { expiresMs: null }))];
}
