// Tokens of a provider -> a proven identity: the ID token's signature, the userinfo answer, groups.
import type { JWTVerifyResult } from 'jose';
import * as openid from 'openid-client';
import type { OidcProvider } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Identity } from '../../../contract/identity.ts';
import { knownIdentity, type NotProven, notProven, type Proven } from '../external/provider.ts';
import type { Claims } from '../jwt/compact.ts';
import { fitsAccessToken } from './access-token-hash.ts';
import { identityOf, readGroups } from './claims.ts';
import type { OidcClient } from './client.ts';
import { CLOCK_TOLERANCE_SECONDS } from './keys.ts';
import { renderStored, type StoredTokens } from './stored-tokens.ts';

export interface ProofParts {
  readonly config: OidcProvider;
  readonly clock: Clock;
}

export interface Given {
  readonly tokens: openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;
  /** At a refresh: the stored tokens, and the identity of then. */
  readonly former: { readonly tokens: StoredTokens; readonly identity: Identity } | undefined;
}

/** The lifetime of the access token says when to ask the provider again, within these bounds. */
const REFRESH_SECONDS = { least: 5, most: 3600, unknown: 300 } as const;
export const ASKS_WITHIN_MS = REFRESH_SECONDS.most * 1000;

/**
 * openid-client has checked `iss`, `aud`, `exp` and `nonce`; `azp` only beside several audiences; of `iat` only its presence. It relies on TLS for the signature (Core, 3.1.3.7, 6).
 * Lictor still verifies the signature, with its own list of algorithms, and `at_hash`, which openid-client ignores. Throws what openid-client and jose throw.
 */
export async function prove({ config, clock }: ProofParts, client: OidcClient, { tokens, former }: Given): Promise<Proven | NotProven> {
  const idToken = await verifyIdToken(client, config, tokens);
  const fromToken: Claims | undefined = idToken?.payload;
  if (idToken !== undefined && !fitsAccessToken(idToken.payload['at_hash'], tokens.access_token, idToken.protectedHeader.alg)) {
    return notProven('id-token-invalid', 'the access token is not the one that the ID token was given with (at_hash)');
  }
  const problem = fromToken === undefined ? undefined : problemOf(fromToken, config.clientId, clock());
  if (problem !== undefined) return notProven('id-token-invalid', problem);
  if (fromToken === undefined && former === undefined) return notProven('id-token-invalid', 'there is no ID token');
  const subject = fromToken === undefined ? former?.identity.subject : fromToken['sub'];
  if (typeof subject !== 'string') return notProven('id-token-invalid', 'there is no subject');
  if (former !== undefined && former.identity.subject !== subject) return notProven('id-token-invalid', 'the refreshed ID token is of another subject');
  const read = knownIdentity(await identity(client, config, { fromToken, subject, accessToken: tokens.access_token, former: former?.identity }));
  if (!read.ok) return read;
  const refreshToken = tokens.refresh_token ?? former?.tokens.refreshToken ?? null;
  const sid = fromToken?.['sid'];
  return {
    ...read,
    idpSession: typeof sid === 'string' ? sid : null,
    stored: renderStored({ refreshToken, idToken: storedIdToken(client, tokens.id_token ?? former?.tokens.idToken ?? null) }),
    refreshAfterMs: refreshToken === null ? null : clock() + refreshSeconds(tokens.expiresIn()) * 1000,
    authenticatedMs: authenticatedMs(fromToken, clock()),
    sessionEndsMs: null,
  };
}

async function verifyIdToken({ keys }: OidcClient, config: OidcProvider, { id_token }: Given['tokens']): Promise<JWTVerifyResult | undefined> {
  if (id_token === undefined) return undefined;
  const checks = { issuer: config.issuer, audience: config.clientId, requiredClaims: ['sub', 'exp', 'iat'] };
  return await keys.verify(id_token, { freshly: true, ...checks });
}

/** Core, 3.1.3.7, 5 and 10; the same at a refresh (12.2). */
function problemOf({ iat, azp }: Claims, clientId: string, nowMs: number): string | undefined {
  if (typeof iat !== 'number' || iat * 1000 > nowMs + CLOCK_TOLERANCE_SECONDS * 1000) return 'the ID token is from the future (iat)';
  return azp === undefined || azp === clientId ? undefined : 'the ID token was made for another client (azp)';
}

interface Sources {
  /** Undefined: the provider sent no ID token with a refresh. */
  readonly fromToken: Claims | undefined;
  readonly subject: string;
  readonly accessToken: string;
  readonly former: Identity | undefined;
}

/** Asks userinfo only for what the ID token leaves out. Its `sub` must be the same (Core, 5.3.2). */
async function identity(
  { configuration, metadata }: OidcClient,
  config: OidcProvider,
  sources: Sources,
): Promise<{ readonly ok: true; readonly identity: Identity } | NotProven> {
  const { fromToken, subject, accessToken, former } = sources;
  const whole = fromToken !== undefined && readGroups(fromToken, config.groupsClaim).kind !== 'absent';
  if (fromToken !== undefined && (whole || metadata.userinfo_endpoint === undefined)) return identityOf(fromToken, config);
  if (metadata.userinfo_endpoint === undefined) {
    return former === undefined ? notProven('id-token-invalid', 'there is no ID token') : { ok: true, identity: former };
  }
  const userinfo = await openid.fetchUserInfo(configuration, accessToken, subject);
  return identityOf({ ...userinfo, ...fromToken, sub: subject }, config);
}

/** A provider's clock may be ahead. A time beyond the tolerance is no statement. */
function authenticatedMs(fromToken: Claims | undefined, nowMs: number): number | null {
  const authTime = fromToken?.['auth_time'];
  if (typeof authTime !== 'number' || authTime * 1000 > nowMs + CLOCK_TOLERANCE_SECONDS * 1000) return null;
  return Math.min(authTime * 1000, nowMs);
}

/** Not stored if the provider has no logout: only the logout needs it. */
function storedIdToken({ metadata }: OidcClient, idToken: string | null): string | null {
  return metadata.end_session_endpoint === undefined ? null : idToken;
}

function refreshSeconds(expiresIn: number | undefined): number {
  return Math.min(REFRESH_SECONDS.most, Math.max(REFRESH_SECONDS.least, expiresIn ?? REFRESH_SECONDS.unknown));
}
