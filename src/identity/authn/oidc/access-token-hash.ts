// `at_hash` of an ID token: the access token beside it is the one that the provider gave with it (OpenID Connect Core, 3.1.3.6 and 3.3.2.9).
import { createHash } from 'node:crypto';

/** RFC 8032's hash for EdDSA over Ed25519; the others carry theirs in the name. */
const HASHES: Readonly<Record<string, string>> = { RS256: 'sha256', ES256: 'sha256', EdDSA: 'sha512', Ed25519: 'sha512' };

/** `claim` is undefined where the provider sent none: with a code it may leave it out. False too for an algorithm that has no place here. */
export function fitsAccessToken(claim: unknown, accessToken: string, algorithm: string): boolean {
  if (claim === undefined) return true;
  const hash = HASHES[algorithm];
  if (hash === undefined) return false;
  const digest = createHash(hash).update(accessToken, 'ascii').digest();
  return claim === digest.subarray(0, digest.length / 2).toString('base64url');
}
