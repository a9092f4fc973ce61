// A proven JWT as an identity.
import type { JwtProvider } from '../../../config/config.ts';
import type { Identity } from '../../../contract/identity.ts';
import { hasWildcard } from '../identity/name.ts';
import type { FlatClaims } from './claims.ts';
import { type Claims, claim } from './compact.ts';

/** They do not identify the workload, and differ in each token. */
const PROTOCOL = new Set(['exp', 'iat', 'nbf', 'jti', 'auth_time']);

/**
 * Name and subject are both the principal claim: by the configuration, all tokens with the same claim are one principal.
 * Undefined: the claim is not a text that can be a name.
 */
export function jwtIdentity(payload: Claims, flat: FlatClaims, { id, principalClaim }: Pick<JwtProvider, 'id' | 'principalClaim'>): Identity | undefined {
  const name = flat.get(principalClaim);
  if (typeof name !== 'string' || !isName(name)) return undefined;
  const groups = claim(payload, 'groups');
  return {
    idp: id,
    subject: name,
    name,
    kind: 'service',
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    claims: Object.fromEntries([...flat].flatMap(([path, text]) => (typeof text === 'string' && !PROTOCOL.has(path) ? [[path, text]] : []))),
  };
}

/** It appears in records, labels and headers. */
function isName(text: string): boolean {
  return text.length <= 255 && !hasWildcard(text) && /^[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?$/u.test(text);
}
