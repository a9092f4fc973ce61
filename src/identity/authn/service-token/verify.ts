// Service token text -> principal. One indexed query; on Postgres, a row from before if the change number is the same.
import type { Clock } from '../../../contract/clock.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import type { Carrier, Principal } from '../../../contract/principal.ts';
import { roleNames } from '../../../contract/scope.ts';
import type { StoredSecret, StoredToken, Tokens } from '../../../store/tokens.ts';
import type { AgentCredentials } from '../agent/credentials.ts';
import { ownerOfToken } from '../owner.ts';
import type { RoleBook } from '../roles.ts';
import type { Touches } from '../touches.ts';
import { type Authentication, refuse } from '../verdict.ts';
import { isInNetworks } from './networks.ts';
import { claimsToBeToken, hashToken, isSameHash, parseTokenText } from './token-text.ts';

export interface TokenVerifierParts {
  readonly tokens: Pick<Tokens, 'byId' | 'byFormerSecret' | 'touch'>;
  readonly roleBook: RoleBook;
  readonly agents: Pick<AgentCredentials, 'ofToken'>;
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
    if (token === undefined || secret === undefined) return refuseUnknown(parts, hash);
    const nowMs = parts.clock();
    const problem = problemOf(token, secret, { nowMs, address: inputs.address });
    if (problem !== undefined) return refuse(problem, token.id, ownerOfToken(token, parts.agents));
    const use = { id: token.id, hash: secret.hash, usedMs: nowMs, address: inputs.address };
    parts.touches.touch({ key: `token ${secret.hash}`, lastMs: secret.lastUsedMs, nowMs, write: () => parts.tokens.touch(use) });
    return {
      ok: true,
      principal: tokenPrincipal(token, parts.roleBook),
      credential: { id: token.id, carrier, expiresAtMs: secret.expiresMs, sessionId: null, alsoPresented: [] },
    };
  };
}

/** The client gets the same answer for a guess and for a secret of long ago. Only the record of the latter names the token. */
async function refuseUnknown({ tokens, agents }: TokenVerifierParts, hash: string): Promise<Authentication> {
  const former = await tokens.byFormerSecret(hash);
  return former === undefined ? refuse('credential-unknown') : refuse('credential-unknown', former.id, ownerOfToken(former, agents));
}

function problemOf(token: StoredToken, { expiresMs }: StoredSecret, { nowMs, address }: { readonly nowMs: number; readonly address: string }) {
  if (token.revokedMs !== null) return 'credential-revoked';
  if (expiresMs !== null && expiresMs <= nowMs) return 'credential-expired';
  if (token.heldMs !== null) return 'credential-unconfirmed';
  return isInNetworks(address, token.cidrs) ? undefined : 'credential-address';
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
