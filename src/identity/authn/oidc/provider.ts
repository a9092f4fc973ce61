// An OpenID Provider that people log in at: authorization code with PKCE, state and nonce of each attempt (OpenID Connect Core, RFC 9700).
import * as openid from 'openid-client';
import type { OidcProvider } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Identity } from '../../../contract/identity.ts';
import { wordOf } from '../access-token/trust.ts';
import {
  type BeginRequest,
  type Begun,
  type Confirmed,
  type ExternalProvider,
  freshlyProven,
  type LeaveForm,
  type NotProven,
  notProven,
  type Proven,
  type ProviderAnswer,
} from '../external/provider.ts';
import type { Outbound } from '../outbound.ts';
import { createDiscovery, type Discovery } from './client.ts';
import { failed, failureOf } from './failure.ts';
import { checkLogoutToken, type LogoutTokenParts } from './logout-token.ts';
import { ASKS_WITHIN_MS, type Given, prove } from './proof.ts';
import { parseSecret, parseStored, type StoredTokens } from './stored-tokens.ts';

/** Parameters that an answer to `response_type=code` in the query never has. */
const OTHER_FLOWS = ['response', 'id_token', 'access_token', 'token'] as const;

export interface OidcParts {
  readonly config: OidcProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly marks: LogoutTokenParts['marks'];
}

interface Inside extends OidcParts, Discovery {}

/** What a test login has: it marks and stores nothing. */
export type LoginParts = Pick<OidcParts, 'config'> & Discovery;

export function createOidcProvider(parts: OidcParts): ExternalProvider {
  const inside: Inside = { ...parts, ...createDiscovery(parts) };
  return {
    idp: parts.config.id,
    word: wordOf(parts.config),
    begin: (attempt) => orFailed(() => begin(inside, attempt)),
    offersOffline: () => offersOffline(inside),
    finish: (answer) => orFailed(() => finish(inside, answer)),
    asksWithinMs: ASKS_WITHIN_MS,
    confirm: (stored, identity) => confirm(inside, stored, identity),
    leave: (stored, returnUrl) => leave(inside, stored, returnUrl),
    loggedOut: (token) => checkLogoutToken(inside, token),
    status: async () => inside.status(),
    async ready() {
      await inside.client();
      return true;
    },
  };
}

export async function orFailed<T>(work: () => Promise<T>): Promise<T | NotProven> {
  try {
    return await work();
  } catch (error) {
    return failed(error);
  }
}

/** Always PKCE. A provider without PKCE ignores it, and the nonce still binds the answer to this attempt. */
export async function begin({ present, config }: LoginParts, { state, callbackUrl, asOtherPrincipal, isFresh = false, offline }: BeginRequest): Promise<Begun> {
  const { configuration, metadata } = await present();
  const [verifier, nonce] = [openid.randomPKCECodeVerifier(), openid.randomNonce()];
  const location = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: callbackUrl,
    scope: [...new Set([...config.scopes, ...(offline === true ? [OFFLINE] : [])])].join(' '),
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(asOtherPrincipal && { prompt: otherPersonPrompt(metadata) }),
    ...(isFresh && { prompt: 'login', max_age: '0' }),
  });
  return { ok: true, location: location.href, secret: JSON.stringify({ verifier, nonce, isFresh }) };
}

const OFFLINE = 'offline_access';

/** A provider that does not answer offers nothing now. */
async function offersOffline({ present }: Inside): Promise<boolean> {
  try {
    return (await present()).metadata.scopes_supported?.includes(OFFLINE) === true;
  } catch (error) {
    // Throws anything but a failure of the provider.
    failureOf(error);
    return false;
  }
}

function otherPersonPrompt({ prompt_values_supported: known }: openid.ServerMetadata): string {
  return Array.isArray(known) && !known.includes('select_account') ? 'login' : 'select_account';
}

async function finish(inside: Inside, answer: ProviderAnswer): Promise<Proven | NotProven> {
  const redeemed = await redeem(inside, answer);
  if (!redeemed.ok) return redeemed;
  const proof = await prove(inside, await inside.client(), { tokens: redeemed.tokens, former: undefined });
  return redeemed.isFresh && proof.ok ? freshlyProven(proof, inside.clock()) : proof;
}

interface Redeemed {
  readonly ok: true;
  readonly tokens: Given['tokens'];
  readonly isFresh: boolean;
}

/** The answer of the browser -> tokens, of which nothing is proven but `iss`, `aud`, `exp` and `nonce`. */
export async function redeem({ client, config }: LoginParts, { params, state, callbackUrl, secret }: ProviderAnswer): Promise<Redeemed | NotProven> {
  const doubled = [...params.keys()].find((name, index, all) => all.indexOf(name) !== index);
  if (doubled !== undefined) return notProven('login-answer-invalid', 'a parameter of the answer is there twice');
  const known = await client();
  const issuer = params.get('iss');
  // RFC 9207: an attacker sent another provider's answer to this callback.
  if (issuer === null ? known.metadata.authorization_response_iss_parameter_supported === true : issuer !== config.issuer) {
    return notProven('login-other-issuer', 'the answer names another issuer, or none');
  }
  if (!params.has('code') && !params.has('error')) return notProven('login-answer-invalid', 'the answer has neither code nor error');
  if (OTHER_FLOWS.some((name) => params.has(name))) return notProven('login-answer-invalid', 'the answer is of another flow');
  const { verifier, nonce, isFresh } = parseSecret(secret);
  const answerUrl = new URL(callbackUrl);
  answerUrl.search = params.toString();
  const tokens = await openid.authorizationCodeGrant(known.configuration, answerUrl, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  return { ok: true, tokens, isFresh };
}

/** A provider may rotate its refresh tokens or not: Lictor stores the latest one. */
async function confirm(inside: Inside, stored: string, identity: Identity): Promise<Confirmed> {
  const former: StoredTokens = parseStored(stored);
  if (former.refreshToken === null) return { state: 'ended', isRefused: false, reason: 'session-expired', detail: 'there is no refresh token' };
  try {
    const known = await inside.client();
    const tokens = await openid.refreshTokenGrant(known.configuration, former.refreshToken);
    const proof = await prove(inside, known, { tokens, former: { tokens: former, identity } });
    if (proof.ok) return { state: 'live', proof };
    return isOutage(proof.reason)
      ? { state: 'unknown', detail: proof.detail }
      : { state: 'ended', isRefused: true, reason: proof.reason, detail: proof.detail };
  } catch (error) {
    const { reason, detail } = failureOf(error);
    if (isOutage(reason)) return { state: 'unknown', detail };
    // `invalid_grant`: the person is disabled or logged out there, or the provider's own limit is reached.
    return { state: 'ended', isRefused: true, reason: reason === 'login-code-refused' ? 'session-expired' : reason, detail };
  }
}

/** Wrong settings of the gateway must not end sessions: Lictor treats them like a provider that does not answer. */
function isOutage(reason: NotProven['reason']): boolean {
  return reason === 'idp-unavailable' || reason === 'idp-misconfigured';
}

/** OpenID Connect RP-Initiated Logout, by POST: the ID token never appears in a URL. */
async function leave({ client, config }: Inside, stored: string | undefined, returnUrl: string): Promise<LeaveForm | undefined> {
  try {
    const { metadata } = await client();
    if (metadata.end_session_endpoint === undefined) return undefined;
    const hint = stored === undefined ? null : parseStored(stored).idToken;
    return {
      action: metadata.end_session_endpoint,
      fields: { client_id: config.clientId, post_logout_redirect_uri: returnUrl, ...(hint !== null && { id_token_hint: hint }) },
    };
  } catch (error) {
    // Throws anything but a failure of the provider. The provider's session continues; Lictor's session ends in any case.
    failureOf(error);
    return undefined;
  }
}
