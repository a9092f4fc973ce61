// The tokens of a login of a client: a short-lived access token, and a refresh token for one use.

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ClientGrant, ClientGrants, NewTokens } from '../../store/client-grants.ts';
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
  /** Only for the client. */
  readonly body: Given;
}

/** `endsMs`: the latest end of the login. No token outlives it. */
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
  /** The latest end of the login. */
  readonly endsMs: number;
}

/** The person who would get the tokens: the login is valid, the person is not locked and still has a role. */
export async function personOf(
  { standing, locks, config }: PersonParts,
  grant: ClientGrant,
  address: string,
): Promise<({ readonly ok: true } & Person) | OAuthRefusal> {
  if ((await lockOnAddress(locks, address)) !== undefined) return { ok: false, error: 'invalid_grant', reason: 'locked' };
  const known = { credentialId: grantCredentialId(grant.id), grantId: grant.id };
  const now = await standing(grant);
  // The provider has not answered for too long. The login is not ended because of that.
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

export interface ReplayParts {
  readonly grants: Pick<ClientGrants, 'end'>;
  /** A login has ended. Resolves when that has effect everywhere. */
  readonly onEnded: () => Promise<void>;
}

/** A code or a refresh token came twice. Either the client or a thief has the tokens. Lictor cannot know which, so both lose the login. */
export async function endReplayed(
  { grants, onEnded }: ReplayParts,
  { id, owner }: ClientGrant,
  reason: 'code-replayed' | 'refresh-replayed',
): Promise<OAuthRefusal> {
  if (await grants.end(id)) await onEnded();
  const identity = owner.kind === 'identity' ? owner.identity : undefined;
  const who = identity && { principalId: `${identity.name}@${identity.idp}`, principalKind: identity.kind, idp: identity.idp };
  return { ok: false, error: 'invalid_grant', reason, credentialId: grantCredentialId(id), grantId: id, ...who };
}
