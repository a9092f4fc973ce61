// The claims of a JWT, without its signature: whether it is an access token, its times, and the rules of its provider.
import type { JwtProvider } from '../../../config/config.ts';
import { matchesGlob } from '../../../contract/glob.ts';
import { type Claims, claim, isClaims } from './compact.ts';

/** The clocks of issuer and gateway may differ by this. An expired token gets no leeway. */
export const LEEWAY_SECONDS = 30;
/** EKS issues tokens for a day, the longest of all workloads. */
export const MAX_LIFETIME_SECONDS = 24 * 3600;

export type ClaimsProblem = 'jwt-kind' | 'jwt-times' | 'jwt-claims' | 'credential-expired';

/** Audiences of the token. Undefined: absent, of another type, or several without `azp`, so that the recipient is unknown. */
export function audiencesOf(payload: Claims): readonly string[] | undefined {
  const aud = claim(payload, 'aud');
  if (typeof aud === 'string') return [aud];
  if (!Array.isArray(aud) || !aud.every((item) => typeof item === 'string')) return undefined;
  return aud.length > 1 && typeof claim(payload, 'azp') !== 'string' ? undefined : aud;
}

/** Claims that only tokens of another purpose have: a login (OpenID Connect Core 2), an event or a logout (RFC 8417), a key that Lictor does not check (RFC 7800). */
const FOREIGN = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'cnf'] as const;

/** Keycloak writes the purpose into `typ`: Bearer, ID, Refresh, Logout. */
export function checkKind(payload: Claims): ClaimsProblem | undefined {
  const typ = claim(payload, 'typ');
  const bearer = typ === undefined || (typeof typ === 'string' && typ.toLowerCase() === 'bearer');
  return bearer && !FOREIGN.some((name) => Object.hasOwn(payload, name)) ? undefined : 'jwt-kind';
}

/** RFC 7519 4.1.4 to 4.1.6, in whole seconds; `exp` is required. */
export function checkTimes(payload: Claims, nowMs: number): ClaimsProblem | undefined {
  const nowSeconds = nowMs / 1000;
  const [exp, nbf, iat] = ['exp', 'nbf', 'iat'].map((name) => claim(payload, name));
  if (!isSeconds(exp) || ![nbf, iat].every((value) => value === undefined || isSeconds(value))) return 'jwt-times';
  if (exp <= nowSeconds) return 'credential-expired';
  for (const start of [nbf, iat]) if (isSeconds(start) && start > nowSeconds + LEEWAY_SECONDS) return 'jwt-times';
  const startSeconds = isSeconds(iat) ? Math.min(iat, nowSeconds) : nowSeconds;
  return exp - startSeconds > MAX_LIFETIME_SECONDS ? 'jwt-times' : undefined;
}

export function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Every claim by its dotted path: its text, or the texts of a list's items. */
export type FlatClaims = ReadonlyMap<string, string | readonly string[]>;

/**
 * `kubernetes.io` -> `namespace` is `kubernetes.io.namespace`. Undefined if two claims have the same path, or a text is not valid
 * Unicode: a rule would be ambiguous. Leaves out an e-mail address that the issuer calls unverified: anyone may have claimed it.
 */
export function flattenClaims(payload: Claims): FlatClaims | undefined {
  const flat = new Map<string, string | readonly string[]>();
  const visit = (claims: Claims, prefix: string): boolean =>
    Object.entries(claims).every(([name, value]) => {
      const path = `${prefix}${name}`;
      if (isClaims(value)) return visit(value, `${path}.`);
      const texts = Array.isArray(value) ? value.flatMap(textsOf) : textsOf(value);
      if (flat.has(path) || ![path, ...texts].every((text) => text.isWellFormed())) return false;
      flat.set(path, Array.isArray(value) ? texts : (texts[0] ?? []));
      return true;
    });
  if (!visit(payload, '')) return undefined;
  if (flat.get('email_verified') === 'false') flat.delete('email');
  return flat;
}

/** Objects inside lists are ignored. */
function textsOf(value: unknown): readonly string[] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

/** The token must meet every rule: by the claim's text, or by one item of a list. */
export function checkRules(flat: FlatClaims, { require }: Pick<JwtProvider, 'require'>): ClaimsProblem | undefined {
  const met = Object.entries(require).every(([path, pattern]) => [flat.get(path) ?? []].flat().some((text) => matchesGlob(pattern, text)));
  return met ? undefined : 'jwt-claims';
}
