// `at_hash` of an ID token: proves that the provider issued the access token with it (OpenID Connect Core, 3.1.3.6 and 3.3.2.9).
import { createHash } from 'node:crypto';

/** For EdDSA over Ed25519 the hash of RFC 8032. The other algorithms name their hash. */
const HASHES: Readonly<Record<string, string>> = { RS256: 'sha256', ES256: 'sha256', EdDSA: 'sha512', Ed25519: 'sha512' };

/** `claim` is undefined if the provider sent none: it is optional in the code flow. False also for any other algorithm. */
export function fitsAccessToken(claim: unknown, accessToken: string, algorithm: string): boolean {
  if (claim === undefined) return true;
  const hash = HASHES[algorithm];
  if (hash === undefined) return false;
  const digest = createHash(hash).update(accessToken, 'ascii').digest();
  return claim === digest.subarray(0, digest.length / 2).toString('base64url');
}
