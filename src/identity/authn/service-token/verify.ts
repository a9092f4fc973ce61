// Service token text -> principal. One indexed query; nothing is cached between requests.
import type { Clock } from '../../../contract/clock.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import type { Carrier, Principal } from '../../../contract/principal.ts';
import { roleNames } from '../../../contract/scope.ts';
import type { StoredToken, Tokens } from '../../../store/tokens.ts';
import type { RoleBook } from '../roles.ts';
import type { Touches } from '../touches.ts';
import { type Authentication, refuse } from '../verdict.ts';
import { isInNetworks } from './networks.ts';
import { claimsToBeToken, hashToken, isSameHash, parseTokenText } from './token-text.ts';

export interface TokenVerifierParts {
  readonly tokens: Pick<Tokens, 'byId' | 'touch'>;
  readonly roleBook: RoleBook;
  readonly touches: Touches;
  readonly clock: Clock;
}

export type TokenVerifier = (text: string, carrier: Carrier, inputs: EdgeInputs) => Promise<Authentication>;

export function createTokenVerifier(parts: TokenVerifierParts): TokenVerifier {
  return async (text, carrier, inputs) => {
    const parsed = parseTokenText(text);
    if (parsed === undefined) return refuse(claimsToBeToken(text) ? 'credential-malformed' : 'credential-unknown');
    const token = await parts.tokens.byId(parsed.id);
    const hash = hashToken(parsed.text);
    const secret = token?.secrets.find((candidate) => isSameHash(candidate.hash, hash));
    if (token === undefined || secret === undefined) return refuse('credential-unknown');
    const nowMs = parts.clock();
    if (token.revokedMs !== null) return refuse('credential-revoked', token.id);
    if (secret.expiresMs !== null && secret.expiresMs <= nowMs) return refuse('credential-expired', token.id);
    if (!isInNetworks(inputs.address, token.cidrs)) return refuse('credential-address', token.id);
    parts.touches.touch({ key: `token ${token.id}`, lastMs: token.lastUsedMs, nowMs, write: () => parts.tokens.touch(token.id, nowMs, inputs.address) });
    return {
      ok: true,
      principal: tokenPrincipal(token, parts.roleBook),
      credential: { id: token.id, carrier, expiresAtMs: secret.expiresMs, sessionId: null, alsoPresented: [] },
    };
  };
}

/** With its present roles. */
export function tokenPrincipal(token: StoredToken, roleBook: RoleBook): Principal {
  const grants = roleBook.ofToken(token);
  const roles = roleNames(grants);
  return {
    id: `token:${token.name}`,
    kind: roles.length === 1 && roles[0] === 'worker' ? 'worker' : 'service',
    idp: null,
    roles,
    grants,
    groups: [],
    attributes: {},
    onBehalfOf: [],
  };
}
