// The ID token (OpenID Connect Core 2) of a login with the scope openid, for the client's own use. Lictor does not accept it as a credential.
import { SignJWT } from 'jose';
import type { SigningKeys } from '../../config/keys/signing-keys.ts';
import type { Clock } from '../../contract/clock.ts';

export interface AboutPerson {
  /** `alice@corp`: unique and stable at this gateway. */
  readonly subject: string;
  readonly clientId: string;
  /** Of the request for an authorization code; left out or null: it had none. */
  readonly nonce?: string | null;
}

export type SignIdToken = (about: AboutPerson) => Promise<string>;

export const ID_TOKEN_SECONDS = 3600;

export function createIdTokens(keys: Pick<SigningKeys, 'current'>, issuer: string, clock: Clock): SignIdToken {
  return async ({ subject, clientId, nonce = null }) => {
    const { kid, key } = await keys.current();
    const now = Math.floor(clock() / 1000);
    return await new SignJWT({ preferred_username: subject, ...(nonce !== null && { nonce }) })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(clientId)
      .setIssuedAt(now)
      .setExpirationTime(now + ID_TOKEN_SECONDS)
      .sign(key);
  };
}
