// Access token text -> principal: the identity that was proven when the token was issued, or the actor of its chain, with their present roles.
import type { AccessTokens } from '../../../store/access-tokens.ts';
import type { TokenKind } from '../authenticator.ts';
import { API_AUDIENCE } from '../grant/verify.ts';
import { ownerOfAccessToken } from '../owner.ts';
import { hashToken, isSameHash, parseTokenText } from '../service-token/token-text.ts';
import { refuse } from '../verdict.ts';
import type { AccessStanding } from './standing.ts';

export interface AccessTokenParts {
  readonly accessTokens: Pick<AccessTokens, 'byId'>;
  readonly standing: Pick<AccessStanding, 'ofToken'>;
}

export function createAccessTokenKind({ accessTokens, standing }: AccessTokenParts): TokenKind {
  return {
    recognises: (text) => text.startsWith('lca_'),
    async verify(text, carrier, { address, audience = API_AUDIENCE }) {
      const parsed = parseTokenText(text, 'lca_');
      if (parsed === undefined) return refuse('credential-malformed');
      const token = await accessTokens.byId(parsed.id);
      if (token === undefined || !isSameHash(token.hash, hashToken(parsed.text))) return refuse('credential-unknown');
      const now = await standing.ofToken(token, address);
      if (!now.ok) return refuse(now.reason, token.id, ownerOfAccessToken(token));
      if (token.audience !== null && token.audience !== audience) return refuse('token-audience', token.id, ownerOfAccessToken(token));
      const { principal, expiresAtMs, scopes } = now;
      return {
        ok: true,
        principal,
        credential: { id: token.id, carrier, expiresAtMs, sessionId: null, alsoPresented: [], ...(scopes !== undefined && { scopes }) },
      };
    },
  };
}
