// RFC 7009: the holder of a token may revoke it. A refresh token revokes the whole login.

import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { AccessTokens } from '../../store/access-tokens.ts';
import type { ClientGrants } from '../../store/client-grants.ts';
import { grantCredentialId } from '../authn/grant/verify.ts';
import { hashToken, isSameHash, parseTokenText } from '../authn/service-token/token-text.ts';
import { parseForm } from './form.ts';
import { refuseRequest } from './refusal.ts';
import { refusalAnswer, type TokenAnswer, type TokenRequest } from './token-endpoint.ts';

export interface RevocationParts {
  readonly grants: Pick<ClientGrants, 'ofRefreshToken' | 'ofAccessToken' | 'end' | 'endAccessToken'>;
  readonly accessTokens: Pick<AccessTokens, 'byId' | 'revoke'>;
  readonly record: (record: NewRecord) => Promise<void>;
  /** Something has ended. Resolves when that has effect everywhere. */
  readonly onEnded: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly revision: number;
}

/** What ended, for the record. */
interface Ended {
  readonly credentialId: string;
  readonly grantId: string | null;
}

export function createRevocation(parts: RevocationParts): (request: TokenRequest) => Promise<TokenAnswer> {
  return async (request) => {
    const form = parseForm(request.contentType, request.body);
    if (typeof form === 'string') return refusalAnswer(refuseRequest(form), request);
    const token = form.get('token');
    if (token === undefined) return refusalAnswer(refuseRequest('token is needed.'), request);
    const ended = await end(parts, token);
    if (ended !== undefined) {
      // Recorded also if it does not take effect at once. Then the client gets 503.
      await parts.onEnded().finally(() => record(parts, request, ended));
    }
    // RFC 7009 2.2: an invalid token is treated as revoked.
    return { status: 200, headers: { 'cache-control': 'no-store' }, body: {} };
  };
}

async function end({ grants, accessTokens }: RevocationParts, text: string): Promise<Ended | undefined> {
  const hash = hashToken(text);
  if (parseTokenText(text, 'lcr_') !== undefined) {
    const found = await grants.ofRefreshToken(hash);
    if (found === undefined || !(await grants.end(found.grant.id))) return undefined;
    return { credentialId: grantCredentialId(found.grant.id), grantId: found.grant.id };
  }
  const granted = parseTokenText(text, 'lcu_');
  if (granted !== undefined) {
    const found = await grants.ofAccessToken(granted.id);
    if (found === undefined || !isSameHash(found.token.hash, hash) || !(await grants.endAccessToken(granted.id))) return undefined;
    return { credentialId: grantCredentialId(found.grant.id), grantId: found.grant.id };
  }
  const exchanged = parseTokenText(text, 'lca_');
  const found = exchanged === undefined ? undefined : await accessTokens.byId(exchanged.id);
  if (found === undefined || !isSameHash(found.hash, hash) || !(await accessTokens.revoke(found.id))) return undefined;
  return { credentialId: found.id, grantId: null };
}

/** The end stands, recorded or not. */
async function record({ record: append, onError, clock, revision }: RevocationParts, request: TokenRequest, { credentialId, grantId }: Ended): Promise<void> {
  await append({
    time: new Date(clock()).toISOString(),
    request_id: request.requestId === '' ? null : request.requestId,
    credential_id: credentialId,
    grant_id: grantId,
    source_ip: request.address,
    user_agent: request.userAgent,
    method: 'POST',
    path: request.path,
    action: 'token.revoke',
    resource_type: 'AccessToken',
    decision: 'allow',
    status: 200,
    mode: 'enforce',
    revision,
  }).catch(onError);
}
