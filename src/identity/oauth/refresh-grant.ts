// New tokens for a refresh token (RFC 6749 6). Each works once: a repeated one ends the whole login (RFC 9700 4.14.2).

import type { PublicUrl } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { ClientGrant, ClientGrants } from '../../store/client-grants.ts';
import { grantCredentialId } from '../authn/grant/verify.ts';
import { hashToken } from '../authn/service-token/token-text.ts';
import type { Clients } from './clients.ts';
import type { Form } from './form.ts';
import { createGrantTokens, endReplayed, type Person, type PersonParts, personOf, type ReplayParts } from './grant-tokens.ts';
import type { Grant, Issued } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';
import { parseAudience } from './requested.ts';

export interface RefreshGrantParts extends PersonParts, ReplayParts {
  readonly grants: Pick<ClientGrants, 'ofRefreshToken' | 'rotate' | 'end'>;
  readonly clients: Pick<Clients, 'accepts'>;
  readonly publicUrl: PublicUrl;
  readonly clock: Clock;
}

export function createRefreshGrant(parts: RefreshGrantParts): Grant {
  return async (form, address) => {
    const wrong = checkForm(parts, form);
    if (wrong !== undefined) return wrong;
    const hash = hashToken(form.get('refresh_token') ?? '');
    const found = await parts.grants.ofRefreshToken(hash);
    if (found === undefined || found.grant.clientId !== form.get('client_id')) return { ok: false, error: 'invalid_grant', reason: 'refresh-unknown' };
    const { grant, used } = found;
    if (used) return await endReplayed(parts, grant, 'refresh-replayed');
    const other = checkSame(parts, form, grant);
    if (other !== undefined) return other;
    const person = await personOf(parts, grant, address);
    return person.ok ? issued(parts, { hash, grant, person }) : person;
  };
}

interface Refreshing {
  readonly hash: string;
  readonly grant: ClientGrant;
  readonly person: Person;
}

function issued(parts: RefreshGrantParts, { hash, grant, person: { principal, endsMs } }: Refreshing): Issued {
  const tokens = createGrantTokens(grant, endsMs, parts.clock);
  return {
    ok: true,
    principal,
    proofId: grantCredentialId(grant.id),
    tokenId: tokens.tokenId,
    grantId: grant.id,
    issue: async () => ((await parts.grants.rotate(hash, tokens.stored)) ? tokens.body : await endReplayed(parts, grant, 'refresh-replayed')),
  };
}

function checkForm({ clients }: RefreshGrantParts, form: Form): OAuthRefusal | undefined {
  if (!clients.accepts(form.get('client_id') ?? '')) return { ok: false, error: 'invalid_client', reason: 'client-unknown' };
  return form.has('refresh_token') ? undefined : refuseRequest('refresh_token is needed.');
}

/** What the person allowed stays unchanged: a client that needs something else asks the person again. */
function checkSame({ publicUrl }: RefreshGrantParts, form: Form, grant: ClientGrant): OAuthRefusal | undefined {
  const scope = form.get('scope');
  if (scope !== undefined && scope !== grant.scopes.join(' ')) {
    return { ok: false, error: 'invalid_scope', reason: 'request-invalid', detail: 'The scopes stay as they were allowed. Log in again for others.' };
  }
  if (!form.has('resource') || parseAudience(form, publicUrl) === grant.audience) return undefined;
  return { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'The resource stays as it was allowed. Log in again for another.' };
}
