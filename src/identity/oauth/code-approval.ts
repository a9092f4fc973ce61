// The person's side of a login by authorization code: the request, sealed for the page that shows it, and the code that allows it. The page is elsewhere.

import { z } from 'zod';
import type { Sealer } from '../../config/keys/sealer.ts';
import { CLIENT_SCOPES } from '../../contract/client-scopes.ts';
import type { Clock } from '../../contract/clock.ts';
import type { AuthorizationCodes } from '../../store/authorization-codes.ts';
import type { NewClientGrant } from '../../store/client-grants.ts';
import type { Proven } from '../authn/external/provider.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import { type AuthorizationRequest, type AuthorizationRequestParts, answerUrl, type ReadAuthorization, readAuthorization } from './authorization-request.ts';
import type { NewGrants } from './new-grant.ts';

export interface CodeApproval {
  read(query: string, principalId: string): Promise<ReadAuthorization>;
  /** For the form of the page: a decision needs it, and it is valid in this session, for ten minutes. */
  seal(request: AuthorizationRequest, sessionId: string): string;
  open(sealed: string, sessionId: string): AuthorizationRequest | 'forged' | 'expired';
  /** The address for the browser, with the code. Undefined: the session or the trust in the client has ended meanwhile. */
  allow(request: AuthorizationRequest, grant: NewClientGrant, offline: Proven | undefined): Promise<string | undefined>;
  /** The address for the browser, with the refusal. */
  deny(request: AuthorizationRequest): string;
}

export interface CodeApprovalParts extends AuthorizationRequestParts {
  readonly authorizationCodes: Pick<AuthorizationCodes, 'create'>;
  readonly newGrants: Pick<NewGrants, 'begin'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

const DECISION_MS = 10 * 60_000;

export function createCodeApproval(parts: CodeApprovalParts): CodeApproval {
  const { clients, publicUrl, sealer, clock } = parts;
  return {
    read: (query, principalId) => readAuthorization(parts, query, principalId),
    seal: (request, sessionId) => sealer.seal(JSON.stringify({ ...request, untilMs: clock() + DECISION_MS }), aboutRequest(sessionId)),
    open(sealed, sessionId) {
      const text = sealer.open(sealed, aboutRequest(sessionId));
      if (text === undefined) return 'forged';
      const { untilMs, ...request } = sealedRequest.parse(JSON.parse(text));
      return untilMs <= clock() ? 'expired' : request;
    },
    async allow(request, grant, offline) {
      if (!clients.accepts(request.clientId)) return undefined;
      const { id, text } = createTokenText(createTokenId(), 'lcc_');
      const { redirectUri, challenge, openid, nonce } = request;
      const code = { id, hash: hashToken(text), redirectUri, challenge, openid, nonce };
      const begun = await parts.newGrants.begin(grant, offline, () => parts.authorizationCodes.create(code, grant));
      return begun ? answerUrl(publicUrl, request, { code: text }) : undefined;
    },
    deny: (request) => answerUrl(publicUrl, request, { error: 'access_denied' }),
  };
}

function aboutRequest(sessionId: string): string {
  return `request of a client for a code in session ${sessionId}`;
}

/** Lictor itself sealed the text, so any other form is a defect, and throws. */
const sealedRequest = z.object({
  clientId: z.string(),
  redirectUri: z.string(),
  state: z.string().nullable(),
  scopes: z.array(z.enum(CLIENT_SCOPES)),
  audience: z.string(),
  openid: z.boolean(),
  nonce: z.string().nullable(),
  challenge: z.string(),
  untilMs: z.number(),
});
