// Whose credential a refused one is: for its record alone. The client never learns it, and no decision reads it.
import type { Config } from '../../config/config.ts';
import { agentId, type Principal, type PrincipalKind } from '../../contract/principal.ts';
import type { StoredAccessToken } from '../../store/access-tokens.ts';
import type { SessionOwner } from '../../store/owners.ts';
import type { StoredToken } from '../../store/tokens.ts';
import { idpOfAccount } from './accounts/principal.ts';
import type { AgentCredentials } from './agent/credentials.ts';

export interface CredentialOwner extends Pick<Principal, 'id' | 'idp' | 'onBehalfOf'> {
  /** Null: the credential does not say. */
  readonly kind: PrincipalKind | null;
}

export function ownerOfToken({ name }: Pick<StoredToken, 'name'>, agents: Pick<AgentCredentials, 'ofToken'>): CredentialOwner {
  const agent = agents.ofToken(name);
  if (agent !== undefined) return { id: agentId(name), kind: 'agent', idp: null, onBehalfOf: [] };
  return { id: `token:${name}`, kind: 'service', idp: null, onBehalfOf: [] };
}

/** The person of a session or of a login. */
export function ownerOfLogin(owner: SessionOwner, config: Pick<Config, 'identityProviders'>): CredentialOwner {
  if (owner.kind === 'identity') {
    const { name, idp, kind } = owner.identity;
    return { id: `${name}@${idp}`, kind, idp, onBehalfOf: [] };
  }
  const idp = idpOfAccount(owner.account, config) ?? 'local';
  return { id: `${owner.account.name}@${idp}`, kind: 'user', idp, onBehalfOf: [] };
}

/** The principal when Lictor issued the token, and those that it acts for. */
export function ownerOfAccessToken(token: StoredAccessToken): CredentialOwner {
  if (token.chain !== null) {
    const [id = '', ...onBehalfOf] = token.chain.principals;
    return { id, kind: null, idp: null, onBehalfOf };
  }
  const { name, idp, kind } = token.identity;
  return { id: `${name}@${idp}`, kind, idp, onBehalfOf: [] };
}
