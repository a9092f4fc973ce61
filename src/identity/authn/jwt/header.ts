// The header of a JWT: which algorithms, and what it may not carry. Looked at before anything is fetched.
import { type Claims, claim } from './compact.ts';

/** Asymmetric ones alone: a public key can never pass for a shared secret. */
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

/** RFC 7515 4.1: keys that a token brings along or points to are the sender's, and critical extensions are none that we know. */
const FORBIDDEN = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'] as const;

/** RFC 9068 2.1, RFC 8725 3.11. GitHub, GitLab and Keycloak write JWT, Kubernetes nothing. A logout token says logout+jwt. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];

export type HeaderProblem = 'jwt-malformed' | 'jwt-kind';

export function checkHeader(header: Claims): HeaderProblem | undefined {
  const kid = claim(header, 'kid');
  if (!isAlgorithm(claim(header, 'alg'))) return 'jwt-malformed';
  if (FORBIDDEN.some((name) => Object.hasOwn(header, name))) return 'jwt-malformed';
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 256)) return 'jwt-malformed';
  const type = claim(header, 'typ');
  return TYPES.includes(typeof type === 'string' ? type.toLowerCase() : type) ? undefined : 'jwt-kind';
}

function isAlgorithm(value: unknown): boolean {
  return ALGORITHMS.some((algorithm) => algorithm === value);
}

/** A key may be called anything, but a name that looks like a path, an address or a query is no reason to ask the issuer again. */
export function isPlausibleKeyId(kid: unknown): boolean {
  return kid === undefined || (typeof kid === 'string' && /^[A-Za-z0-9._~+/=:@-]+$/.test(kid) && !kid.includes('..') && !kid.includes('://'));
}
