// Tokens for an authorization code (RFC 6749 4.1.3): for the client, redirect URI and verifier of its request. A second use ends the login.

import { createHash } from 'node:crypto';
import type { PublicUrl } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { AuthorizationCodes, StoredAuthorizationCode } from '../../store/authorization-codes.ts';
import type { ClientGrant, ClientGrants } from '../../store/client-grants.ts';
import { hashToken, isSameHash, parseTokenText } from '../authn/service-token/token-text.ts';
import type { Clients } from './clients.ts';
import type { Form } from './form.ts';
import { createGrantTokens, endReplayed, type Person, type PersonParts, personOf, type ReplayParts } from './grant-tokens.ts';
import type { SignIdToken } from './id-token.ts';
import type { Grant, Issued } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';
import { parseAudience } from './requested.ts';

export interface CodeGrantParts extends PersonParts, ReplayParts {
  readonly authorizationCodes: Pick<AuthorizationCodes, 'byId' | 'redeem'>;
  readonly grants: Pick<ClientGrants, 'byId' | 'end'>;
  readonly clients: Pick<Clients, 'accepts'>;
  readonly publicUrl: PublicUrl;
  readonly signIdToken: SignIdToken;
  readonly clock: Clock;
}

export function createCodeGrant(parts: CodeGrantParts): Grant {
  return async (form, address) => {
    const wrong = checkForm(parts, form);
    if (wrong !== undefined) return wrong;
    const found = await findCode(parts, form);
    if (found === undefined) return { ok: false, error: 'invalid_grant', reason: 'code-unknown' };
    const { code, grant } = found;
    if (code.used) return await endReplayed(parts, grant, 'code-replayed');
    const other = checkSame(parts, form, found);
    if (other !== undefined) return other;
    const person = await personOf(parts, { ...grant, expiresMs: code.grantExpiresMs }, address);
    return person.ok ? issued(parts, { ...found, person }) : person;
  };
}

function checkForm({ clients }: CodeGrantParts, form: Form): OAuthRefusal | undefined {
  if (!clients.accepts(form.get('client_id') ?? '')) return { ok: false, error: 'invalid_client', reason: 'client-unknown' };
  const missing = ['code', 'redirect_uri', 'code_verifier'].find((name) => !form.has(name));
  return missing === undefined ? undefined : refuseRequest(`${missing} is needed.`);
}

interface Found {
  readonly code: StoredAuthorizationCode;
  readonly grant: ClientGrant;
}

/** A code of another client, and one that expired without use, is treated as unknown. */
async function findCode({ authorizationCodes, grants, clock }: CodeGrantParts, form: Form): Promise<Found | undefined> {
  const parsed = parseTokenText(form.get('code') ?? '', 'lcc_');
  const code = parsed === undefined ? undefined : await authorizationCodes.byId(parsed.id);
  if (parsed === undefined || code === undefined || !isSameHash(code.hash, hashToken(parsed.text))) return undefined;
  const grant = await grants.byId(code.grantId);
  if (grant === undefined || grant.clientId !== form.get('client_id')) return undefined;
  return code.used || code.expiresMs > clock() ? { code, grant } : undefined;
}

function checkSame({ publicUrl }: CodeGrantParts, form: Form, { code, grant }: Found): OAuthRefusal | undefined {
  if (form.get('redirect_uri') !== code.redirectUri) return { ok: false, error: 'invalid_grant', reason: 'redirect-mismatch' };
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  if (!isSameHash(challenge, code.challenge)) return { ok: false, error: 'invalid_grant', reason: 'verifier-wrong' };
  if (!form.has('resource') || parseAudience(form, publicUrl) === grant.audience) return undefined;
  return { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'The resource stays as it was allowed.' };
}

interface Allowed extends Found {
  readonly person: Person;
}

function issued(parts: CodeGrantParts, { code, grant, person: { principal, endsMs } }: Allowed): Issued {
  const tokens = createGrantTokens(grant, endsMs, parts.clock);
  return {
    ok: true,
    principal,
    proofId: `code:${code.id}`,
    tokenId: tokens.tokenId,
    grantId: grant.id,
    async issue() {
      const about = { subject: principal.id, clientId: grant.clientId, nonce: code.nonce };
      const idToken = code.openid ? await parts.signIdToken(about) : undefined;
      if (!(await parts.authorizationCodes.redeem(code.id, tokens.stored))) return await endReplayed(parts, grant, 'code-replayed');
      return { ...tokens.body, ...(idToken !== undefined && { id_token: idToken }) };
    },
  };
}
