// An exchanged access token as programs see it: in the admin API and in `lictor token list --access --json`.
import type { StoredAccessToken } from '../../store/access-tokens.ts';
import { ownerOfAccessToken } from '../authn/owner.ts';

export interface AccessTokenJson {
  readonly id: string;
  readonly principal: string;
  readonly idp: string | null;
  readonly on_behalf_of: readonly string[];
  /** The proof of the principal itself. */
  readonly given_for: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export function accessTokenJson(token: StoredAccessToken): AccessTokenJson {
  const { id: principal, idp, onBehalfOf } = ownerOfAccessToken(token);
  return {
    id: token.id,
    principal,
    idp,
    on_behalf_of: onBehalfOf,
    given_for: proofOf(token),
    created_at: new Date(token.createdMs).toISOString(),
    expires_at: new Date(token.expiresMs).toISOString(),
  };
}

function proofOf(token: StoredAccessToken): string {
  if (token.chain === null) return token.proof;
  const { actor } = token.chain;
  return actor.kind === 'identity' ? actor.proof : actor.id;
}
