// For tests: an authenticator for access tokens on a real store, and the standing of their principals.
import type { Config } from '../../../config/config.ts';
import type { ClientGrant } from '../../../store/client-grants.ts';
import { createAuthenticator } from '../authenticator.ts';
import type { Standing } from '../grant/standing.ts';
import { grantCredentialId } from '../grant/verify.ts';
import type { TestStore } from '../store.fixture.ts';
import { refuse } from '../verdict.ts';
import { createAccessStanding } from './standing.ts';
import { createAccessTokenKind } from './verify.ts';

/** A login of a client. Its token is `lcu_` and the id of the grant. */
export interface TestLogin {
  readonly grant: Pick<ClientGrant, 'scopes' | 'audience' | 'sessionId'>;
  readonly standing: Standing;
}

type AccessConfig = Pick<Config, 'identityProviders' | 'roles' | 'sessions' | 'agents'>;

export function openAccess({ store, clock, steady }: TestStore, config: AccessConfig, logins: ReadonlyMap<string, TestLogin> = new Map()) {
  const clientGrants = { ...store.clientGrants, byId: async (id: string) => ({ ...logins.get(id)?.grant, id }) as ClientGrant };
  const standing = createAccessStanding({
    ...{ store: { ...store, clientGrants }, config, clock },
    standing: async ({ id }) => logins.get(id)?.standing ?? { ok: false, reason: 'login-ended' },
  });
  const loginKind = {
    recognises: (text: string) => text.startsWith('lcu_'),
    async verify(text: string) {
      const login = logins.get(text.slice('lcu_'.length));
      const id = grantCredentialId(text.slice('lcu_'.length));
      if (login?.standing.ok !== true) return refuse('login-ended', id);
      const { principal, untilMs: expiresAtMs } = login.standing;
      const credential = { id, carrier: 'authorization', expiresAtMs, sessionId: null, alsoPresented: [] } as const;
      return { ok: true, principal, credential } as const;
    },
  };
  const verifiers = [createAccessTokenKind({ accessTokens: store.accessTokens, standing }), loginKind];
  return { standing, authenticator: createAuthenticator({ store, config, clock, steady, verifiers }) };
}
