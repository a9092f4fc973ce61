// Access token text -> principal: the identity that was proven when the token was issued, with its present roles.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { AccessTokens } from '../../../store/access-tokens.ts';
import type { TokenKind } from '../authenticator.ts';
import { identityPrincipal } from '../identity/principal.ts';
import { createRoleBook } from '../roles.ts';
import { hashToken, isSameHash, parseTokenText } from '../service-token/token-text.ts';
import { refuse } from '../verdict.ts';
import { trustIn } from './trust.ts';

export interface AccessTokenParts {
  readonly accessTokens: Pick<AccessTokens, 'byId'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles'>;
  readonly clock: Clock;
}

export function createAccessTokenKind({ accessTokens, config, clock }: AccessTokenParts): TokenKind {
  const roleBook = createRoleBook(config.roles);
  const trusted = new Map(config.identityProviders.map((provider) => [provider.id, trustIn(provider)]));
  return {
    recognises: (text) => text.startsWith('lca_'),
    async verify(text, carrier) {
      const parsed = parseTokenText(text, 'lca_');
      if (parsed === undefined) return refuse('credential-malformed');
      const token = await accessTokens.byId(parsed.id);
      if (token === undefined || !isSameHash(token.hash, hashToken(parsed.text))) return refuse('credential-unknown');
      if (token.revokedMs !== null || trusted.get(token.identity.idp) !== token.trust) return refuse('credential-revoked', token.id);
      if (token.expiresMs <= clock()) return refuse('credential-expired', token.id);
      return {
        ok: true,
        principal: identityPrincipal(token.identity, roleBook),
        credential: { id: token.id, carrier, expiresAtMs: token.expiresMs, sessionId: null, alsoPresented: [] },
      };
    },
  };
}
