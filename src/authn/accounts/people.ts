// What the login pages need of authentication: log in, log out.
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Store } from '../../store/store.ts';
import { createRoleBook } from '../roles.ts';
import { createSessions, type Sessions } from '../session/session.ts';
import { createTouches } from '../touches.ts';
import { createLogin, type Login } from './login.ts';
import { createPasswords } from './password.ts';
import { accountsProvider } from './principal.ts';

export interface People {
  readonly login: Login;
  readonly sessions: Pick<Sessions, 'end' | 'startForIdentity'>;
  /** Id of the accounts provider; null: the configuration has none, and nobody can log in. */
  readonly idp: string | null;
}

export interface PeopleParts {
  readonly store: Pick<Store, 'accounts' | 'sessions' | 'locks'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'sessions'>;
  readonly clock: Clock;
}

export function createPeople({ store, config, clock }: PeopleParts): People {
  const idp = accountsProvider(config);
  const roleBook = createRoleBook(config.roles);
  // Only the authenticator looks at sessions, so nothing is touched here.
  const sessions = createSessions({
    store: store.sessions,
    providers: config.identityProviders,
    limits: config.sessions,
    roleBook,
    touches: createTouches(() => {}),
    clock,
  });
  const login = createLogin({ accounts: store.accounts, locks: store.locks, sessions, passwords: createPasswords(), idp, roleBook, clock });
  return { login, sessions, idp };
}
