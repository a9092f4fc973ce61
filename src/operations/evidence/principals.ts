// The current rights of each principal, their sources, and their use in the period.

import { credentialText } from '../../authorization/explain/agent.ts';
import { findPrincipal, type ResolvedPrincipal } from '../../authorization/explain/principal.ts';
import { type RoleActions, roleUse } from '../../authorization/policy/role-actions.ts';
import type { Config } from '../../config/config.ts';
import { LictorError } from '../../contract/error.ts';
import { agentId } from '../../contract/principal.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';
import { scopeText } from '../../contract/scope.ts';
import { idpOfAccount } from '../../identity/authn/accounts/principal.ts';
import { sponsorId } from '../../identity/authn/agent/agents.ts';
import { createAgentCredentials } from '../../identity/authn/agent/credentials.ts';
import type { Store } from '../../store/store.ts';
import type { AgentRow, BindingRow, PrincipalRow, PrincipalStatus, RoleRow } from './data.ts';
import type { PastRights } from './past-rights.ts';
import type { PrincipalUse } from './tallies.ts';
import type { Usage } from './usage.ts';

export interface PrincipalSources {
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'agents'>;
  readonly store: Store;
  readonly usage: Usage;
  readonly roles: RoleActions;
  /** For removed principals. */
  readonly pastRights: PastRights;
  /** The period; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  readonly nowMs: number;
}

/** Every principal of the store, and every one that the ledger names in the period; by id. */
export async function gatherPrincipals(sources: PrincipalSources): Promise<readonly PrincipalRow[]> {
  const { store, usage } = sources;
  const known = await knownSince(sources);
  const before = await knownBefore(sources);
  // At an identity provider, such a name is no user of this machine.
  const isLocal = ({ id, idp }: PrincipalUse): boolean => id.startsWith('local:') && idp === null;
  const agents = sources.config.agents.map(({ name }) => agentId(name));
  const ids = new Set([...known.keys(), ...agents, ...[...usage.principals.values()].filter((use) => !isLocal(use)).map(({ id }) => id)]);
  const once = remembering(store);
  const rows: PrincipalRow[] = [];
  for (const id of [...ids].sort()) {
    const resolved = await find(id, sources, once);
    const roles = resolved?.roles ?? (runOfPrincipal(id) === null ? await sources.pastRights(id) : []);
    rows.push(toRow(resolved, { id, since: known.get(id) ?? null, existed: before.has(id) || !known.has(id), roles, sources }));
  }
  return rows;
}

/** The roles of lictor.yaml, and how many principals each member gives the role. */
export function gatherBindings({ roles }: Pick<Config, 'roles'>, principals: readonly PrincipalRow[]): readonly BindingRow[] {
  const origins = principals.flatMap(({ roles: held }) => held.flatMap(({ from }) => from));
  return roles.flatMap(({ role, scope, members }, index) =>
    members.map((member) => ({
      role,
      scope: scope === null ? null : scopeText(scope),
      member,
      holders: origins.filter((origin) => origin === `lictor.yaml roles[${index}]: ${member}`).length,
    })),
  );
}

/** When the store first knew each principal. */
async function knownSince({ store, config, nowMs }: PrincipalSources): Promise<ReadonlyMap<string, string>> {
  const since = new Map<string, string>();
  const add = (id: string, ms: number): void => void (since.has(id) || since.set(id, new Date(ms).toISOString()));
  for (const account of await store.accounts.list()) add(`${account.name}@${idpOfAccount(account, config) ?? 'local'}`, account.createdMs);
  for (const identity of await store.identities.list()) add(`${identity.name}@${identity.idp}`, identity.createdMs);
  for (const token of await store.tokens.list()) if (token.revokedMs === null) add(idOfToken(token, config), token.createdMs);
  for (const { identity, createdMs } of await provenIdentities(store)) if (createdMs <= nowMs) add(`${identity.name}@${identity.idp}`, createdMs);
  return since;
}

/** Those that existed in the period. A token of the same name may have. Of a workload the store has only its newest tokens, so each counts. */
async function knownBefore({ store, config, from, to }: PrincipalSources): Promise<ReadonlySet<string>> {
  const isBefore = ({ createdMs }: { readonly createdMs: number }): boolean => createdMs < Date.parse(to);
  const tokens = (await store.tokens.list()).filter(({ revokedMs }) => revokedMs === null || revokedMs >= Date.parse(from));
  const accounts = (await store.accounts.list()).filter(isBefore);
  const identities = (await store.identities.list()).filter(isBefore);
  return new Set([
    ...tokens.filter(isBefore).map((token) => idOfToken(token, config)),
    ...accounts.map((account) => `${account.name}@${idpOfAccount(account, config) ?? 'local'}`),
    ...[...identities, ...(await provenIdentities(store)).map(({ identity }) => identity)].map(({ name, idp }) => `${name}@${idp}`),
  ]);
}

/** Of live access tokens. The proofs of a chain are no tokens of these identities. */
async function provenIdentities({ accessTokens }: Pick<Store, 'accessTokens'>) {
  return (await accessTokens.live()).filter((token) => token.chain === null);
}

/** A service token may be the credential of an agent. */
function idOfToken({ name }: { readonly name: string }, { agents }: Pick<Config, 'agents'>): string {
  return createAgentCredentials(agents).ofToken(name) === undefined ? `token:${name}` : agentId(name);
}

/** The agents of lictor.yaml with the people who answer for them. */
export function gatherAgents({ agents }: Pick<Config, 'agents'>, principals: readonly PrincipalRow[]): readonly AgentRow[] {
  return agents.map((agent) => ({
    id: agentId(agent.name),
    sponsor: sponsorId(agent),
    credential: credentialText(agent),
    roles: agent.grants.map(({ role, scope }) => (scope === null ? role : `${role} on ${scopeText(scope)}`)),
    status: principals.find(({ id }) => id === agentId(agent.name))?.status ?? 'unknown',
  }));
}

type Lists = Pick<Store, 'tokens' | 'accounts' | 'identities' | 'locks' | 'accessTokens'>;

/** Reads each list once, not once for each principal. */
function remembering({ tokens, accounts, identities, locks, accessTokens }: Store): Lists {
  const once = <T>(read: () => Promise<T>): (() => Promise<T>) => {
    let answer: Promise<T> | undefined;
    return () => {
      answer ??= read();
      return answer;
    };
  };
  return { tokens: { ...tokens, list: once(tokens.list) }, accounts, identities, locks: { ...locks, list: once(locks.list) }, accessTokens };
}

async function find(id: string, { config, nowMs }: PrincipalSources, store: Lists): Promise<ResolvedPrincipal | undefined> {
  // A run has the rights of its worker's token while it runs: it has no own right to review.
  if (runOfPrincipal(id) !== null) return undefined;
  try {
    return await findPrincipal(id, { config, store: async () => store, nowMs });
  } catch (error) {
    if (error instanceof LictorError && error.code === 'principal-unknown') return undefined;
    throw error;
  }
}

interface About {
  readonly id: string;
  readonly since: string | null;
  readonly existed: boolean;
  readonly roles: readonly Pick<RoleRow, 'role' | 'scope' | 'from'>[];
  readonly sources: PrincipalSources;
}

function toRow(resolved: ResolvedPrincipal | undefined, { id, since, existed, roles, sources }: About): PrincipalRow {
  const use = sources.usage.principals.get(id);
  const used = use?.actions ?? new Set<string>();
  const kind = resolved?.principal.kind ?? use?.kind ?? '';
  return {
    id,
    kind,
    idp: resolved?.principal.idp ?? use?.idp ?? null,
    status: statusOf(resolved),
    since,
    existed_in_period: existed || use !== undefined,
    ...requestsOf(use),
    roles: roles.map(({ role, scope, from }) => roleRow({ role, scope, from }, used, sources.roles)),
    would_suffice: sources.roles.smallestFor(used, kind),
    beyond_roles: resolved === undefined ? [] : sources.roles.beyond(used, resolved.principal.roles),
    notes: resolved?.notes ?? [],
  };
}

function requestsOf(use: PrincipalUse | undefined): Pick<PrincipalRow, 'first_request' | 'last_request' | 'requests' | 'denials'> {
  return { first_request: use?.first ?? null, last_request: use?.last ?? null, requests: use?.requests ?? 0, denials: use?.denials ?? 0 };
}

function statusOf(resolved: ResolvedPrincipal | undefined): PrincipalStatus {
  switch (resolved?.refusedAs) {
    case undefined:
      return 'unknown';
    case null:
      return 'live';
    case 'locked':
      return 'locked';
    case 'credential-expired':
      return 'expired';
    default:
      return 'revoked';
  }
}

function roleRow(role: Pick<RoleRow, 'role' | 'scope' | 'from'>, used: ReadonlySet<string>, roles: RoleActions): RoleRow {
  return { ...role, ...roleUse(role.role, used, roles) };
}
