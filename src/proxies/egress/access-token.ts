// The access token for a service, instead of its callers' credentials: obtained by client credentials, cached, and replaced before it expires.
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clientCredentialsGrant,
  customFetch,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { ServiceOauth } from '../../config/service.ts';
import type { Clock } from '../../contract/clock.ts';

export interface AccessToken {
  /** Undefined: none can be obtained now. Never rejects. */
  current(): Promise<ServiceToken | undefined>;
  /** The service answered 401 to a call that began then, by the wall clock: nginx has no other. */
  refused(beganMs: number): void;
}

export interface ServiceToken {
  /** Secret. */
  readonly token: string;
  /** By the present wall clock, as decisions are. */
  readonly expiresAtMs: number;
}

export type TokenFetch = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal?: AbortSignal | null | undefined;
  },
) => Promise<Response>;

export interface AccessTokenParts {
  readonly oauth: ServiceOauth;
  /** Bounded in time and size, without redirects. */
  readonly fetch: TokenFetch;
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  /** For the log; holds no secret. */
  readonly onTrouble: (what: string) => void;
}

/** For an answer that names no lifetime. */
const UNKNOWN_LIFE_MS = 300_000;
/** The longest time before its end at which it is replaced. For a short life, the last quarter. */
const AHEAD_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Until then cached decisions may carry the former token. */
const IN_FORCE_MS = 3_000;
/** A service may answer 401 for other reasons. Only one 401 in this time counts as a rejection of the token. */
const REFUSED_EVERY_MS = 60_000;
/** It is a header of a decision, which nginx reads into 32 KiB. */
const MOST_LETTERS = 8_192;

export function createAccessToken(parts: AccessTokenParts): AccessToken {
  const { clock, steady } = parts;
  const configuration = configure(parts);
  let cached: CachedToken | undefined;
  let running: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let forcedMs = Number.NEGATIVE_INFINITY;

  const replace = async (): Promise<void> => {
    try {
      cached = await obtain(configuration, parts);
      failures = 0;
    } catch (error) {
      notBeforeMs = steady() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      failures = Math.min(failures + 1, 10);
      parts.onTrouble(wordsFor(error));
    }
  };
  /** One at a time. A server that has just failed is not asked for a while. */
  const replaceOnce = (): Promise<void> => {
    if (running === undefined && steady() < notBeforeMs) return Promise.resolve();
    running ??= replace().finally(() => {
      running = undefined;
    });
    return running;
  };
  /** Expired by either clock: the steady one stops while the machine sleeps. */
  const usable = (): CachedToken | undefined => (cached !== undefined && steady() < cached.endsMs && clock() < cached.expiresAtMs ? cached : undefined);
  const toServiceToken = ({ token, endsMs, expiresAtMs }: CachedToken): ServiceToken => ({
    token,
    expiresAtMs: Math.min(expiresAtMs, clock() + endsMs - steady()),
  });
  return {
    async current() {
      const known = usable();
      if (known === undefined) await replaceOnce();
      else if (steady() >= known.replaceAtMs) void replaceOnce();
      const now = known ?? usable();
      return now && toServiceToken(now);
    },
    refused(beganMs) {
      const begunMs = steady() - Math.max(0, clock() - beganMs);
      if (cached === undefined || begunMs < cached.obtainedMs + IN_FORCE_MS || steady() - forcedMs < REFUSED_EVERY_MS) return;
      forcedMs = steady();
      // Used until there is another: one caller's 401 must not stop all calls while the authorization server does not answer.
      cached = { ...cached, replaceAtMs: forcedMs };
      void replaceOnce();
    },
  };
}

/** `expiresAtMs` by the wall clock of the time when it was obtained. The others by the steady clock. */
interface CachedToken extends ServiceToken {
  readonly obtainedMs: number;
  readonly replaceAtMs: number;
  readonly endsMs: number;
}

function configure({ oauth, fetch }: AccessTokenParts): Configuration {
  const { tokenUrl, clientId, clientSecret, clientAuth } = oauth;
  const auth = clientAuth === 'basic' ? ClientSecretBasic(clientSecret) : ClientSecretPost(clientSecret);
  const { origin, protocol } = new URL(tokenUrl);
  const configuration = new Configuration({ issuer: origin, token_endpoint: tokenUrl }, clientId, undefined, auth);
  configuration[customFetch] = (url, { method, headers, body, signal }) =>
    fetch(url, { method, headers, body: body instanceof URLSearchParams ? body.toString() : '', signal });
  // lictor.yaml accepts http for loopback alone.
  if (protocol === 'http:') allowInsecureRequests(configuration);
  return configuration;
}

async function obtain(configuration: Configuration, { oauth: { scope, audience }, clock, steady }: AccessTokenParts): Promise<CachedToken> {
  const [askedMs, askedWallMs] = [steady(), clock()];
  const answer = await clientCredentialsGrant(configuration, { ...(scope !== null && { scope }), ...(audience !== null && { audience }) });
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  // RFC 6750, 2.1: the characters of the header.
  if (type !== 'bearer' || token.length > MOST_LETTERS || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new UnusableToken();
  const lifeMs = seconds === undefined ? UNKNOWN_LIFE_MS : seconds * 1000;
  const endsMs = askedMs + lifeMs;
  return { token, obtainedMs: steady(), expiresAtMs: askedWallMs + lifeMs, endsMs, replaceAtMs: endsMs - Math.min(AHEAD_MS, lifeMs / 4) };
}

class UnusableToken extends Error {
  override readonly name = 'UnusableToken';
}

/** Only the code of the server's error is logged: descriptions may quote the request. */
function wordsFor(error: unknown): string {
  if (error instanceof UnusableToken) return 'the token cannot be used as a Bearer';
  if (error instanceof ResponseBodyError) return `the client is refused: ${/^[a-z_]{1,40}$/.exec(error.error)?.[0] ?? error.status}`;
  if (error instanceof WWWAuthenticateChallengeError) return `the client is refused (${error.status})`;
  if (!(error instanceof Error)) return 'unknown error';
  // The message of an OutboundError names host and failure (src/identity/authn/outbound.ts).
  if (error.name === 'OutboundError') return error.message;
  return error.cause instanceof Error && error.cause !== error ? wordsFor(error.cause) : `no usable answer${codeOf(error)}`;
}

function codeOf(error: Error): string {
  if (error.cause instanceof Response) return ` (${error.cause.status})`;
  return 'code' in error && typeof error.code === 'string' && /^[A-Z_]{1,60}$/.test(error.code) ? ` (${error.code})` : '';
}
