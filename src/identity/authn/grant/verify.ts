// Access token of a person's login -> the person's principal, with its present roles and the scopes of the client. It is valid at one part of the gateway.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { ClientGrants } from '../../../store/client-grants.ts';
import type { TokenKind } from '../authenticator.ts';
import { ownerOfLogin } from '../owner.ts';
import { hashToken, isSameHash, parseTokenText } from '../service-token/token-text.ts';
import { refuse } from '../verdict.ts';
import type { GrantStanding } from './standing.ts';

/** The audience of everything without a separate audience. */
export const API_AUDIENCE = 'api';
export const MCP_AUDIENCE = 'mcp';

export interface GrantTokenParts {
  readonly grants: Pick<ClientGrants, 'ofAccessToken'>;
  readonly standing: GrantStanding;
  readonly config: Pick<Config, 'identityProviders'>;
  readonly clock: Clock;
}

/** Shown in records and logs: the same over all refreshes. */
export function grantCredentialId(grantId: string): string {
  return `login:${grantId}`;
}

export function createGrantTokenKind({ grants, standing, config, clock }: GrantTokenParts): TokenKind {
  return {
    recognises: (text) => text.startsWith('lcu_'),
    async verify(text, carrier, { audience = API_AUDIENCE }) {
      const parsed = parseTokenText(text, 'lcu_');
      if (parsed === undefined) return refuse('credential-malformed');
      const found = await grants.ofAccessToken(parsed.id);
      if (found === undefined || !isSameHash(found.token.hash, hashToken(parsed.text))) return refuse('credential-unknown');
      const { token, grant } = found;
      const id = grantCredentialId(grant.id);
      const refused = (reason: ReasonCode) => refuse(reason, id, ownerOfLogin(grant.owner, config));
      if (grant.endedMs !== null) return refused('login-ended');
      if (token.expiresMs <= clock()) return refused('credential-expired');
      if (grant.audience !== audience) return refused('token-audience');
      const now = await standing(grant);
      if (!now.ok) return refused(now.reason);
      const { principal, untilMs } = now;
      const expiresAtMs = Math.min(token.expiresMs, untilMs);
      return {
        ok: true,
        principal,
        credential: { id, carrier, expiresAtMs, sessionId: null, standsOn: grant.sessionId, alsoPresented: [], scopes: grant.scopes },
      };
    },
  };
}
