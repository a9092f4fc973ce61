// The present principal behind an access token. Lictor checks each principal of a chain again at each use.
import type { Config } from '../../../config/config.ts';
import { CLIENT_SCOPES, type ClientScope } from '../../../contract/client-scopes.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { ChainLink, ProvenIdentity } from '../../../store/access-token-chain.ts';
import type { StoredAccessToken } from '../../../store/access-tokens.ts';
import type { Store } from '../../../store/store.ts';
import type { StoredToken } from '../../../store/tokens.ts';
import { actingPrincipal } from '../agent/acting.ts';
import { createAgents } from '../agent/agents.ts';
import type { GrantStanding } from '../grant/standing.ts';
import { identityPrincipal } from '../identity/principal.ts';
import { listedOnce, lockOnPrincipal } from '../locks.ts';
import { createRoleBook } from '../roles.ts';
import { isInNetworks } from '../service-token/networks.ts';
import { tokenPrincipal } from '../service-token/verify.ts';
import { trustIn } from './trust.ts';

/** A principal in good standing. */
export interface Stands {
  readonly ok: true;
  readonly principal: Principal;
  /** The ids from the principal to the one for whom all others act. */
  readonly path: readonly string[];
  /** Null: it does not expire by itself. */
  readonly expiresAtMs: number | null;
  /** The scopes of the client; left out: all rights. */
  readonly scopes?: readonly ClientScope[];
  /** The only part of the gateway where the credential is valid; null: all parts. */
  readonly audience: string | null;
}

export type LinkStanding = Stands | { readonly ok: false; readonly reason: ReasonCode };

export interface AccessStanding {
  /** The agent, if the credential belongs to one. `address`: the client's, for service tokens that are bound to networks. */
  ofLink(link: ChainLink, address: string): Promise<LinkStanding>;
  /** Without a chain: the proven identity. */
  ofToken(token: StoredAccessToken, address: string): Promise<LinkStanding>;
}

export interface AccessStandingParts {
  readonly store: Pick<Store, 'accessTokens' | 'tokens' | 'clientGrants' | 'locks' | 'accounts' | 'identities'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'agents'>;
  readonly standing: GrantStanding;
  readonly clock: Clock;
}

/** More principals that act for each other are not readable in records, and hardly ever intended. */
const MOST_ACTORS = 3;

export function createAccessStanding(parts: AccessStandingParts): AccessStanding {
  const { store, config, clock } = parts;
  const roleBook = createRoleBook(config.roles);
  const agents = createAgents({ store, config, clock });
  const trusted = new Map(config.identityProviders.map((provider) => [provider.id, trustIn(provider)]));

  const ofIdentity = ({ identity, trust }: ProvenIdentity): LinkStanding =>
    trusted.get(identity.idp) === trust ? plain(identityPrincipal(identity, roleBook)) : refuse('credential-revoked');

  const ofServiceToken = async (id: string, address: string): Promise<LinkStanding> => {
    const token = await store.tokens.byId(id);
    if (token === undefined || token.revokedMs !== null) return refuse('credential-revoked');
    const endMs = endOf(token);
    if (endMs <= clock()) return refuse('credential-expired');
    if (!isInNetworks(address, token.cidrs)) return refuse('credential-address');
    return { ...plain(tokenPrincipal(token, roleBook)), expiresAtMs: Number.isFinite(endMs) ? endMs : null };
  };

  const ofLogin = async (id: string): Promise<LinkStanding> => {
    const grant = await store.clientGrants.byId(id);
    const now = grant === undefined ? undefined : await parts.standing(grant);
    if (grant === undefined || now === undefined) return refuse('login-ended');
    if (!now.ok) return now;
    const lock = await lockOnPrincipal({ locks: store.locks, config }, now.principal, { sessionId: null, standsOn: grant.sessionId });
    if (lock !== undefined) return refuse('locked');
    return { ...plain(now.principal), expiresAtMs: now.untilMs, scopes: grant.scopes, audience: grant.audience };
  };

  /** The agent that the credential belongs to. An agent that acts by its login, and a chain, are complete already. */
  const acting = async (proven: Stands): Promise<LinkStanding> => {
    if (proven.principal.limitedBy !== undefined) return proven;
    const now = await actingPrincipal({ agents, locks: listedOnce(store.locks), config }, proven.principal);
    if (!now.ok) return refuse(now.reason);
    return { ...proven, ...plain(now.principal), expiresAtMs: earlier(proven.expiresAtMs, now.untilMs), audience: proven.audience };
  };

  const ofLink = async (link: ChainLink, address: string): Promise<LinkStanding> => {
    const proven = await ofCredential(link, address);
    return proven.ok ? acting(proven) : proven;
  };

  const ofCredential = async (link: ChainLink, address: string): Promise<LinkStanding> => {
    if (link.kind === 'identity') return ofIdentity(link);
    if (link.kind === 'token') return ofServiceToken(link.id, address);
    if (link.kind === 'login') return ofLogin(link.id);
    const token = await store.accessTokens.byId(link.id);
    return token === undefined ? refuse('credential-revoked') : ofToken(token, address);
  };

  const ofToken = async (token: StoredAccessToken, address: string): Promise<LinkStanding> => {
    if (token.revokedMs !== null) return refuse('credential-revoked');
    if (token.expiresMs <= clock()) return refuse('credential-expired');
    const { audience } = token;
    const found = token.chain === null ? ofIdentity(token) : await bothLinks(token.chain.actor, token.chain.subject, address);
    return found.ok ? { ...found, audience, expiresAtMs: earlier(found.expiresAtMs, token.expiresMs) } : found;
  };

  const bothLinks = async (actor: ChainLink, subject: ChainLink, address: string): Promise<LinkStanding> => {
    const [actsNow, represented] = await Promise.all([ofLink(actor, address), ofLink(subject, address)]);
    if (!actsNow.ok) return actsNow;
    if (!represented.ok) return represented;
    return actingFor(actsNow, represented);
  };

  return { ofLink, ofToken };
}

/** The actor with the rights that the subject and all principals behind it have as well. */
export function actingFor(actor: Stands, subject: Stands): LinkStanding {
  const path = [actor.principal.id, ...subject.path];
  if (new Set(path).size < path.length) return refuse('actor-repeated');
  if (path.length > MOST_ACTORS + 1) return refuse('actor-chain-long');
  const behind = new Set([...subject.path, ...subject.principal.onBehalfOf, ...actor.principal.onBehalfOf]);
  const scopes = commonScopes(actor.scopes, subject.scopes);
  return {
    ok: true,
    principal: { ...actor.principal, onBehalfOf: [...behind], limitedBy: [subject.principal, ...(actor.principal.limitedBy ?? [])] },
    path,
    expiresAtMs: earlier(actor.expiresAtMs, subject.expiresAtMs),
    ...(scopes !== undefined && { scopes }),
    audience: actor.audience ?? subject.audience,
  };
}

export function earlier(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : Math.min(left, right);
}

/** An agent acts for its sponsor. */
function plain(principal: Principal): Stands {
  return { ok: true, principal, path: [principal.id, ...principal.onBehalfOf], expiresAtMs: null, audience: null };
}

/** The latest end of its secrets. */
function endOf({ secrets }: StoredToken): number {
  return Math.max(...secrets.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY));
}

function commonScopes(left: readonly ClientScope[] | undefined, right: readonly ClientScope[] | undefined): readonly ClientScope[] | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return CLIENT_SCOPES.filter((scope) => left.includes(scope) && right.includes(scope));
}

function refuse(reason: ReasonCode): LinkStanding {
  return { ok: false, reason };
}
