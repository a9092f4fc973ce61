// The principals that Lictor knows, as administrators see them: people, service tokens, agents; how each is known, and its roles.
import type { Config } from '../../config/config.ts';
import { agentId } from '../../contract/principal.ts';
import { isoTime } from '../../contract/time-text.ts';
import type { StoredAccount } from '../../store/accounts.ts';
import type { ListedIdentity } from '../../store/identities.ts';
import type { StoredSession } from '../../store/sessions.ts';
import type { Store } from '../../store/store.ts';
import type { StoredToken } from '../../store/tokens.ts';
import { idpOfAccount } from '../authn/accounts/principal.ts';
import { createAgentCredentials } from '../authn/agent/credentials.ts';
import { listedOnce, lockOnPrincipal } from '../authn/locks.ts';
import { accountHolder, agentOrigins, identityHolder, type RoleOrigin, roleOrigins, tokenHolder } from '../authn/role-origins.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export const PRINCIPAL_KINDS = ['user', 'service', 'agent'] as const;
export const KNOWN_BY = ['account', 'login', 'scim', 'token', 'configuration'] as const;

export interface PrincipalJson {
  readonly id: string;
  readonly kind: (typeof PRINCIPAL_KINDS)[number];
  readonly idp: string | null;
  readonly known_by: (typeof KNOWN_BY)[number];
  readonly roles: readonly RoleOrigin[];
  readonly groups: readonly string[];
  readonly created_at: string | null;
  readonly last_seen_at: string | null;
  readonly last_seen_from: string | null;
  /** A lock is on it, or on its provider. */
  readonly locked: boolean;
  /** Its provider refuses to confirm it. */
  readonly refused: boolean;
}

export interface PrincipalSources {
  readonly store: Pick<Store, 'accounts' | 'identities' | 'sessions' | 'tokens' | 'locks' | 'agentUses'>;
  readonly config: Pick<Config, 'agents' | 'identityProviders' | 'roles'>;
}

export interface PrincipalQuery extends PageQuery {
  readonly kind: PrincipalJson['kind'];
  /** A part of the id or of a group, without case. Empty: all. */
  readonly text: string;
}

type Unlocked = Omit<PrincipalJson, 'locked'>;

export async function principalPage(sources: PrincipalSources, query: PrincipalQuery): Promise<Page<PrincipalJson>> {
  const all = await ofKind(sources, query);
  const { items, next } = pageOf(all, query, ({ id }) => id);
  const under = { locks: listedOnce(sources.store.locks), config: sources.config };
  const shown = items.map(async (each) => ({ ...each, locked: (await lockOnPrincipal(under, { id: each.id, idp: each.idp, onBehalfOf: [] })) !== undefined }));
  return { items: await Promise.all(shown), next };
}

function ofKind(sources: PrincipalSources, query: PrincipalQuery): Promise<readonly Unlocked[]> {
  if (query.kind === 'user') return people(sources, query);
  return query.kind === 'agent' ? agents(sources, query) : services(sources, query);
}

/** One more than a page. */
async function people({ store, config }: PrincipalSources, { limit, cursor = '', text }: PrincipalQuery): Promise<readonly Unlocked[]> {
  const accounts = (await store.accounts.list()).flatMap((account) => {
    const idp = idpOfAccount(account, config);
    return idp === null || !has(`${account.name}@${idp}`, text) ? [] : [{ account, idp }];
  });
  const identities = await store.identities.page({ after: cursor, text, most: limit + 1 });
  const owners = [...accounts.map(({ account }) => account.id), ...identities.map(({ id }) => id)];
  const seen = lastSeen(owners.length === 0 ? [] : await store.sessions.page({ owners, most: 10_000 }));
  return [
    ...accounts.map(({ account, idp }) => ofAccount(account, idp, { seen: seen.get(account.id), config })),
    ...identities.map((identity) => ofIdentity(identity, { seen: seen.get(identity.id), config })),
  ];
}

interface Context {
  readonly seen: StoredSession | undefined;
  readonly config: PrincipalSources['config'];
}

function ofAccount(account: StoredAccount, idp: string, { seen, config }: Context): Unlocked {
  return {
    id: `${account.name}@${idp}`,
    ...{ kind: 'user', idp, known_by: 'account', groups: [], refused: false },
    roles: roleOrigins(accountHolder(account, idp), config.roles),
    created_at: isoTime(account.createdMs),
    ...seenFields(account.loginMs, seen),
  };
}

function ofIdentity(identity: ListedIdentity, { seen, config }: Context): Unlocked {
  const { name, idp, groups, isRefused, isProvisioned } = identity;
  return {
    id: `${name}@${idp}`,
    ...{ kind: 'user', idp, known_by: isProvisioned ? 'scim' : 'login', groups, refused: isRefused },
    roles: roleOrigins(identityHolder(identity, config.roles), config.roles),
    created_at: isoTime(identity.createdMs),
    ...seenFields(identity.seenMs, seen),
  };
}

/** Tokens that are not revoked and that are no agent's. */
async function services({ store, config }: PrincipalSources, { text }: PrincipalQuery): Promise<readonly Unlocked[]> {
  const credentials = createAgentCredentials(config.agents);
  const tokens = (await store.tokens.list()).filter(({ name, revokedMs }) => revokedMs === null && credentials.ofToken(name) === undefined);
  return tokens.filter(({ name }) => has(`token:${name}`, text)).map((token) => ofToken(token, config));
}

function ofToken(token: StoredToken, { roles }: PrincipalSources['config']): Unlocked {
  return {
    id: `token:${token.name}`,
    ...{ kind: 'service', idp: null, known_by: 'token', groups: [], refused: false },
    roles: roleOrigins(tokenHolder(token), roles),
    created_at: isoTime(token.createdMs),
    last_seen_at: isoTime(token.lastUsedMs),
    last_seen_from: token.lastUsedFrom,
  };
}

function agents({ store, config }: PrincipalSources, { text }: PrincipalQuery): Promise<readonly Unlocked[]> {
  const found = config.agents.filter(({ name }) => has(agentId(name), text));
  return Promise.all(
    found.map(async ({ name }) => ({
      id: agentId(name),
      ...({ kind: 'agent', idp: null, known_by: 'configuration', groups: [], refused: false, created_at: null, last_seen_from: null } as const),
      roles: agentOrigins(name, config.agents),
      last_seen_at: isoTime(await store.agentUses.lastMs(name, 'calls')),
    })),
  );
}

/** By owner, the session that was used last. */
function lastSeen(sessions: readonly StoredSession[]): ReadonlyMap<string, StoredSession> {
  const latest = new Map<string, StoredSession>();
  for (const session of sessions) {
    const { owner } = session;
    const id = owner.kind === 'account' ? owner.account.id : owner.identityId;
    if (session.lastSeenMs > (latest.get(id)?.lastSeenMs ?? 0)) latest.set(id, session);
  }
  return latest;
}

function seenFields(otherMs: number | null, seen: StoredSession | undefined): Pick<Unlocked, 'last_seen_at' | 'last_seen_from'> {
  const latestMs = Math.max(otherMs ?? 0, seen?.lastSeenMs ?? 0);
  return { last_seen_at: latestMs === 0 ? null : isoTime(latestMs), last_seen_from: seen?.lastSeenFrom ?? null };
}

function has(id: string, text: string): boolean {
  return id.toLowerCase().includes(text.toLowerCase());
}
