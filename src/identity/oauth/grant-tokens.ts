// The pair of tokens that a login of the command line gets: a short access token, and a refresh token that is used once.

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ClientGrant, NewTokens } from '../../store/client-grants.ts';
import type { Locks } from '../../store/locks.ts';
import type { GrantStanding } from '../authn/grant/standing.ts';
import { grantCredentialId } from '../authn/grant/verify.ts';
import { lockOnAddress, lockOnPrincipal } from '../authn/locks.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import type { Given } from './issued.ts';
import type { OAuthRefusal } from './refusal.ts';

export const ACCESS_MS = 10 * 60_000;

export interface GrantTokens {
  readonly tokenId: string;
  readonly stored: NewTokens;
  /** For the client, and nowhere else. */
  readonly body: Given;
}

/** `endsMs`: when the login is over whatever anybody does; no token outlives it. */
export function createGrantTokens(grant: ClientGrant, endsMs: number, clock: Clock): GrantTokens {
  const nowMs = clock();
  const access = createTokenText(createTokenId(), 'lcu_');
  const refresh = createTokenText(createTokenId(), 'lcr_');
  const expiresMs = Math.min(nowMs + ACCESS_MS, endsMs);
  return {
    tokenId: access.id,
    stored: { refreshHash: hashToken(refresh.text), access: { id: access.id, hash: hashToken(access.text), expiresMs } },
    body: {
      access_token: access.text,
      token_type: 'Bearer',
      expires_in: Math.max(0, Math.floor((expiresMs - nowMs) / 1000)),
      refresh_token: refresh.text,
      scope: grant.scopes.join(' '),
    },
  };
}

export interface PersonParts {
  readonly standing: GrantStanding;
  readonly locks: Pick<Locks, 'list'>;
  readonly config: Pick<Config, 'identityProviders'>;
}

export interface Person {
  readonly principal: Principal;
  /** When the login is over whatever anybody does. */
  readonly endsMs: number;
}

/** Whose the tokens would be, if the login stands, nobody has locked them out and they still may do something here. */
export async function personOf(
  { standing, locks, config }: PersonParts,
  grant: ClientGrant,
  address: string,
): Promise<({ readonly ok: true } & Person) | OAuthRefusal> {
  if ((await lockOnAddress(locks, address)) !== undefined) return { ok: false, error: 'invalid_grant', reason: 'locked' };
  const known = { credentialId: grantCredentialId(grant.id), grantId: grant.id };
  const now = await standing(grant);
  // The provider is away for too long: that is no reason to throw the login away.
  if (!now.ok && now.reason === 'session-unconfirmed')
    return { ok: false, error: 'temporarily_unavailable', reason: 'idp-unavailable', retryAfterSeconds: 10, ...known };
  if (!now.ok) return { ok: false, error: 'invalid_grant', reason: now.reason, ...known };
  const { principal, endsMs } = now;
  const who = { principalId: principal.id, principalKind: principal.kind, ...(principal.idp !== null && { idp: principal.idp }), ...known };
  if ((await lockOnPrincipal({ locks, config }, principal, { sessionId: grant.sessionId })) !== undefined)
    return { ok: false, error: 'invalid_grant', reason: 'locked', ...who };
  if (principal.roles.length === 0) return { ok: false, error: 'invalid_grant', reason: 'policy-default-deny', ...who };
  return { ok: true, principal, endsMs };
}
