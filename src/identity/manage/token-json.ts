// A service token as programs see it: in the admin API and in `lictor token list --json`. Never with a secret.
import type { Agent } from '../../config/config.ts';
import { agentId } from '../../contract/principal.ts';
import { scopeText } from '../../contract/scope.ts';
import { isoTime } from '../../contract/time-text.ts';
import type { StoredSecret, StoredToken } from '../../store/tokens.ts';
import { createAgentCredentials } from '../authn/agent/credentials.ts';

const DAY_MS = 86_400_000;

/** `unconfirmed`: it comes from a backup, and no person has confirmed it since. */
export type TokenState = 'live' | 'unconfirmed' | 'expired' | 'revoked';

export interface TokenJson {
  readonly name: string;
  readonly id: string;
  /** The principal that it proves: `token:NAME`, or the agent of this name. */
  readonly principal: string;
  readonly role: string;
  readonly roles: readonly string[];
  readonly scope: string | null;
  readonly cidrs: readonly string[];
  readonly state: TokenState;
  readonly created_at: string;
  /** Since its creation. A rotation does not change it. */
  readonly age_days: number;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly last_used_from: string | null;
  readonly revoked_at: string | null;
  readonly live_secrets: number;
  /** Until then, the secret from before the last rotation is valid too. */
  readonly overlap_until: string | null;
  /** Those that are valid, the newest first. */
  readonly secrets: readonly SecretJson[];
}

export interface SecretJson {
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly last_used_from: string | null;
}

export interface TokenContext {
  readonly agents: readonly Agent[];
  readonly nowMs: number;
}

/** The own roles of a token do not count if it belongs to an agent. */
export function tokenJson(token: StoredToken, { agents, nowMs }: TokenContext): TokenJson {
  const isAgent = createAgentCredentials(agents).ofToken(token.name) !== undefined;
  const roles = isAgent ? [] : token.roles;
  const live = token.revokedMs === null ? token.secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs) : [];
  return {
    name: token.name,
    id: token.id,
    principal: isAgent ? agentId(token.name) : `token:${token.name}`,
    role: roles.join(','),
    roles,
    scope: isAgent || token.scope === null ? null : scopeText(token.scope),
    cidrs: token.cidrs,
    state: stateOf(token, nowMs),
    created_at: new Date(token.createdMs).toISOString(),
    age_days: ageDays(token, nowMs),
    expires_at: isoTime(expiryOf(token)),
    last_used_at: isoTime(token.lastUsedMs),
    last_used_from: token.lastUsedFrom,
    revoked_at: isoTime(token.revokedMs),
    live_secrets: live.length,
    overlap_until: isoTime(live.find((secret) => secret !== token.secrets[0])?.expiresMs ?? null),
    secrets: live.map(secretJson),
  };
}

function secretJson({ createdMs, expiresMs, lastUsedMs, lastUsedFrom }: StoredSecret): SecretJson {
  return {
    created_at: new Date(createdMs).toISOString(),
    expires_at: isoTime(expiresMs),
    last_used_at: isoTime(lastUsedMs),
    last_used_from: lastUsedFrom,
  };
}

function ageDays({ createdMs }: StoredToken, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - createdMs) / DAY_MS));
}

function expiryOf(token: StoredToken): number | null {
  return token.secrets[0]?.expiresMs ?? null;
}

function stateOf(token: StoredToken, nowMs: number): TokenState {
  if (token.revokedMs !== null) return 'revoked';
  const expiresMs = expiryOf(token);
  if (expiresMs !== null && expiresMs <= nowMs) return 'expired';
  return token.heldMs === null ? 'live' : 'unconfirmed';
}
