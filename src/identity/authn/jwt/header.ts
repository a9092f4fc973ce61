// The header of a JWT: which algorithms Lictor accepts, and which members it forbids. Checked before Lictor fetches keys.
import { type Claims, claim } from './compact.ts';

/** Only asymmetric ones: an attacker must not use a public key as a shared secret. */
export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;

/** RFC 7515 4.1: the sender controls keys that a token contains or points to. Lictor knows no critical extensions. */
const FORBIDDEN = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'] as const;

/** RFC 9068 2.1, RFC 8725 3.11. GitHub, GitLab and Keycloak write JWT, Kubernetes nothing. A logout token has logout+jwt. */
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

/** Keys may have any name, but Lictor does not fetch again for a name that looks like a path, an address or a query. */
export function isPlausibleKeyId(kid: unknown): boolean {
  return kid === undefined || (typeof kid === 'string' && /^[A-Za-z0-9._~+/=:@-]+$/.test(kid) && !kid.includes('..') && !kid.includes('://'));
}
