// Whether a lock matches a request: by address, or by the principal that the credential proves.
import type { Config } from '../../config/config.ts';
import type { Lock } from '../../contract/lock.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import type { Locks } from '../../store/locks.ts';
import { mayBeAccounts } from './accounts/principal.ts';
import { isInNetworks } from './service-token/networks.ts';
import { sessionCredentialId } from './session/session.ts';

/** The locks, and the configuration, which names the providers other than the built-in accounts. */
export interface LocksUnder {
  readonly locks: Pick<Locks, 'list'>;
  readonly config: Pick<Config, 'identityProviders'>;
}

/** The present lock on the client's address. */
export async function lockOnAddress(locks: Pick<Locks, 'list'>, address: string): Promise<Lock | undefined> {
  return (await locks.list()).find(({ kind, value }) => kind === 'address' && isInNetworks(address, [value]));
}

/**
 * The lock that matches the principal, one that it acts for, its provider, or its session. A lock on an account
 * also matches after the accounts got another id: editing lictor.yaml must not free a locked account.
 */
export async function lockOnPrincipal(
  { locks, config }: LocksUnder,
  who: Pick<Principal, 'id' | 'idp' | 'onBehalfOf'>,
  credential?: Pick<Credential, 'sessionId' | 'standsOn'>,
) {
  const session = credential?.sessionId ?? credential?.standsOn ?? null;
  const people = [who.id, ...who.onBehalfOf];
  const accounts = () => people.flatMap((id) => accountName(id, config) ?? []);
  return (await locks.list()).find(({ kind, value, ofAccounts }): boolean => {
    if (kind === 'principal') return people.includes(value) || (ofAccounts && accounts().includes(nameIn(value)));
    if (kind === 'scim') return people.includes(value);
    if (kind === 'idp') return value === who.idp || people.some((id) => id.endsWith(`@${value}`)) || (ofAccounts && accounts().length > 0);
    return kind === 'session' && session !== null && (value === session || `session:${value}` === sessionCredentialId(session));
  });
}

/** Undefined: no account has this name. Service tokens and runs have no `@`. */
function accountName(id: string, config: LocksUnder['config']): string | undefined {
  const at = id.lastIndexOf('@');
  return at > 0 && mayBeAccounts(id.slice(at + 1), config) ? nameIn(id) : undefined;
}

function nameIn(id: string): string {
  return id.slice(0, id.lastIndexOf('@'));
}

/** For the checks of one authentication. A new lock increases the change number, and then everything is decided again. */
export function listedOnce(locks: Pick<Locks, 'list'>): Pick<Locks, 'list'> {
  let listed: ReturnType<Locks['list']> | undefined;
  return {
    list: () => {
      listed ??= locks.list();
      return listed;
    },
  };
}
