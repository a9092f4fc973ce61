// The access token that a service is shown in place of its callers: had by client credentials, kept, and replaced before it ends.
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
  /** Undefined: none can be had just now. Never rejects. */
  current(): Promise<KeptToken | undefined>;
  /** The service has answered 401 to a call that began then, by the wall clock: nginx has no other. */
  refused(beganMs: number): void;
}

export interface KeptToken {
  /** Secret. */
  readonly token: string;
  /** By the wall clock as it is now, as decisions are. */
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
  /** Bounded in time and size; follows no redirect. */
  readonly fetch: TokenFetch;
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  /** For the log; holds no secret. */
  readonly onTrouble: (what: string) => void;
}

/** Where the answer says nothing about its end. */
const UNKNOWN_LIFE_MS = 300_000;
/** How long before its end it is replaced, at most; of a short one the last quarter. */
const AHEAD_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** Until then decisions that carry the former token may be in use. */
const IN_FORCE_MS = 3_000;
/** A service may say 401 for reasons of its own: so often at most that is taken for its word about the token. */
const REFUSED_EVERY_MS = 60_000;
/** It stands in a header of a decision, which nginx reads into 32 KiB. */
const MOST_LETTERS = 8_192;

export function createAccessToken(parts: AccessTokenParts): AccessToken {
  const { clock, steady } = parts;
  const configuration = configure(parts);
  let kept: Kept | undefined;
  let running: Promise<void> | undefined;
  let failures = 0;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let forcedMs = Number.NEGATIVE_INFINITY;

  const replace = async (): Promise<void> => {
    try {
      kept = await obtain(configuration, parts);
      failures = 0;
    } catch (error) {
      notBeforeMs = steady() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      failures = Math.min(failures + 1, 10);
      parts.onTrouble(wordsFor(error));
    }
  };
  /** Single flight; a server that has just failed is left alone for a while. */
  const replaceOnce = (): Promise<void> => {
    if (running === undefined && steady() < notBeforeMs) return Promise.resolve();
    running ??= replace().finally(() => {
      running = undefined;
    });
    return running;
  };
  /** By whichever clock says first that it is over: the steady one stands still while the machine sleeps. */
  const usable = (): Kept | undefined => (kept !== undefined && steady() < kept.endsMs && clock() < kept.expiresAtMs ? kept : undefined);
  const shown = ({ token, endsMs, expiresAtMs }: Kept): KeptToken => ({ token, expiresAtMs: Math.min(expiresAtMs, clock() + endsMs - steady()) });
  return {
    async current() {
      const known = usable();
      if (known === undefined) await replaceOnce();
      else if (steady() >= known.replaceAtMs) void replaceOnce();
      const now = known ?? usable();
      return now && shown(now);
    },
    refused(beganMs) {
      const begunMs = steady() - Math.max(0, clock() - beganMs);
      if (kept === undefined || begunMs < kept.obtainedMs + IN_FORCE_MS || steady() - forcedMs < REFUSED_EVERY_MS) return;
      forcedMs = steady();
      // Shown until there is another: one caller's 401 must not take the service from all others while the authorization server is away.
      kept = { ...kept, replaceAtMs: forcedMs };
      void replaceOnce();
    },
  };
}

/** `expiresAtMs` by the wall clock of when it was had; all others by the steady one. */
interface Kept extends KeptToken {
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
  // lictor.yaml takes http for loopback alone.
  if (protocol === 'http:') allowInsecureRequests(configuration);
  return configuration;
}

async function obtain(configuration: Configuration, { oauth: { scope, audience }, clock, steady }: AccessTokenParts): Promise<Kept> {
  const [askedMs, askedWallMs] = [steady(), clock()];
  const answer = await clientCredentialsGrant(configuration, { ...(scope !== null && { scope }), ...(audience !== null && { audience }) });
  const { access_token: token, token_type: type, expires_in: seconds } = answer;
  // RFC 6750, 2.1: what can stand in the header.
  if (type !== 'bearer' || token.length > MOST_LETTERS || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new UnusableToken();
  const lifeMs = seconds === undefined ? UNKNOWN_LIFE_MS : seconds * 1000;
  const endsMs = askedMs + lifeMs;
  return { token, obtainedMs: steady(), expiresAtMs: askedWallMs + lifeMs, endsMs, replaceAtMs: endsMs - Math.min(AHEAD_MS, lifeMs / 4) };
}

class UnusableToken extends Error {
  override readonly name = 'UnusableToken';
}

/** What the server says is told by its code alone: descriptions may quote what was sent. */
function wordsFor(error: unknown): string {
  if (error instanceof UnusableToken) return 'the token cannot be used as a Bearer';
  if (error instanceof ResponseBodyError) return `the client is refused: ${/^[a-z_]{1,40}$/.exec(error.error)?.[0] ?? error.status}`;
  if (error instanceof WWWAuthenticateChallengeError) return `the client is refused (${error.status})`;
  if (!(error instanceof Error)) return 'unknown error';
  // `message` of an outbound's error names host and failure (src/identity/authn/outbound.ts).
  if (error.name === 'OutboundError') return error.message;
  return error.cause instanceof Error && error.cause !== error ? wordsFor(error.cause) : `no usable answer${codeOf(error)}`;
}

function codeOf(error: Error): string {
  if (error.cause instanceof Response) return ` (${error.cause.status})`;
  return 'code' in error && typeof error.code === 'string' && /^[A-Z_]{1,60}$/.test(error.code) ? ` (${error.code})` : '';
}
