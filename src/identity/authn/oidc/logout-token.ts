// OpenID Connect Back-Channel Logout 1.0: the provider reports that a session or a person has ended.
import type { JWTVerifyResult } from 'jose';
import type { OidcProvider } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Marks } from '../../../store/marks.ts';
import { type EndedAtProvider, type NotProven, notProven } from '../external/provider.ts';
import { isClaims } from '../jwt/compact.ts';
import type { OidcClient } from './client.ts';
import { failureOf } from './failure.ts';
import { CLOCK_TOLERANCE_SECONDS } from './keys.ts';

export interface LogoutTokenParts {
  readonly config: Pick<OidcProvider, 'id' | 'issuer' | 'clientId'>;
  readonly client: () => Promise<OidcClient>;
  readonly marks: Pick<Marks, 'once'>;
  readonly clock: Clock;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LONGEST = 16 * 1024;
/** Providers send a token within seconds of its creation. */
const MAX_AGE_SECONDS = 120;
/** 2.4: recommended, but not all providers send it. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'logout+jwt', 'JWT']);

/** Each token counts once. */
export async function checkLogoutToken(parts: LogoutTokenParts, token: string): Promise<EndedAtProvider | NotProven> {
  try {
    return await check(parts, token);
  } catch (error) {
    const { reason, detail } = failureOf(error);
    return notProven(reason === 'id-token-invalid' ? 'logout-token-invalid' : reason, detail);
  }
}

/** 2.6, in its order. Replay comes last, so that only a valid token leaves a mark. */
async function check({ config, client, marks }: LogoutTokenParts, token: string): Promise<EndedAtProvider | NotProven> {
  if (token.length > LONGEST || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return refuse('no JWT');
  const { keys } = await client();
  const verified = await keys.verify(token, {
    freshly: false,
    issuer: config.issuer,
    audience: config.clientId,
    maxTokenAge: MAX_AGE_SECONDS,
    requiredClaims: ['iat', 'jti'],
  });
  const problem = problemOf(verified);
  if (problem !== undefined) return refuse(problem);
  const { sub, sid, jti = '', iat = 0 } = verified.payload;
  // jose counts ages in whole seconds, and accepts a token until the second begins in which it is too old.
  const expiresMs = (Math.ceil(iat) + MAX_AGE_SECONDS + CLOCK_TOLERANCE_SECONDS + 1) * 1000;
  if (!(await marks.once('logout token', `${config.id} ${jti}`, expiresMs))) return refuse('used before');
  return { ok: true, subject: sub, idpSession: typeof sid === 'string' ? sid : undefined };
}

function problemOf({ payload, protectedHeader }: JWTVerifyResult): string | undefined {
  const { events, sub, sid, nonce, jti } = payload;
  if (!TYPES.has(protectedHeader.typ)) return 'it is of another type';
  if (nonce !== undefined) return 'it has a nonce, like an ID token';
  if (typeof jti !== 'string' || jti === '') return 'its jti is no text';
  if (!isClaims(events) || !isClaims(events[EVENT])) return 'it is not about a logout';
  if (sub !== undefined && typeof sub !== 'string') return 'its sub is no text';
  if (sid !== undefined && (typeof sid !== 'string' || sid === '')) return 'its sid is no text';
  return sub === undefined && sid === undefined ? 'it names neither person nor session' : undefined;
}

function refuse(detail: string): NotProven {
  return notProven('logout-token-invalid', detail);
}
