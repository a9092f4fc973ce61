// Login and logout for the login pages.
import type { Config } from '../../../config/config.ts';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Store } from '../../../store/store.ts';
import { createRoleBook } from '../roles.ts';
import { createSessions, type Sessions } from '../session/session.ts';
import { createTouches } from '../touches.ts';
import { createDevices } from './devices.ts';
import { createLogin, type Login } from './login.ts';
import { createPasswords } from './password.ts';
import { accountsProvider } from './principal.ts';

export interface People {
  readonly login: Login;
  readonly sessions: Pick<Sessions, 'end' | 'startForIdentity'>;
  /** Whether a login by password is possible now: there are built-in accounts, or a break-glass account. */
  takesPasswords(): Promise<boolean>;
}

export interface PeopleParts {
  readonly store: Pick<Store, 'accounts' | 'sessions' | 'locks'>;
  readonly config: Pick<Config, 'identityProviders' | 'roles' | 'sessions'>;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly steady: SteadyClock;
}

export function createPeople({ store, config, sealer, clock, steady }: PeopleParts): People {
  const roleBook = createRoleBook(config.roles);
  // Only the authenticator verifies sessions, so this one writes no "last seen".
  const sessions = createSessions({
    store: store.sessions,
    providers: config.identityProviders,
    limits: config.sessions,
    roleBook,
    touches: createTouches(() => {}),
    clock,
  });
  const devices = createDevices(sealer, clock);
  const login = createLogin({ accounts: store.accounts, locks: store.locks, sessions, passwords: createPasswords(), devices, config, roleBook, steady });
  return {
    login,
    sessions,
    takesPasswords: async () => accountsProvider(config) !== null || (await store.accounts.list()).some(({ expiresMs }) => expiresMs !== null),
  };
}
