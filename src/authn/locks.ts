// Whether a lock shuts somebody out: by address, or by who the credential proves.
import type { Lock } from '../contract/lock.ts';
import type { Credential, Principal } from '../contract/principal.ts';
import type { Locks } from '../store/locks.ts';
import { isInNetworks } from './service-token/networks.ts';
import { sessionCredentialId } from './session/session.ts';

/** The lock on the client's address that holds now. */
export async function lockOnAddress(locks: Pick<Locks, 'list'>, address: string): Promise<Lock | undefined> {
  return (await locks.list()).find(({ kind, value }) => kind === 'address' && isInNetworks(address, [value]));
}

/** The lock that holds on the principal, on one that it acts for, on its provider, or on the session that it is or stands on. */
export async function lockOnPrincipal(
  locks: Pick<Locks, 'list'>,
  who: Pick<Principal, 'id' | 'idp' | 'onBehalfOf'>,
  credential?: Pick<Credential, 'sessionId' | 'standsOn'>,
) {
  const session = credential?.sessionId ?? credential?.standsOn ?? null;
  return (await locks.list()).find(({ kind, value }): boolean => {
    if (kind === 'principal') return value === who.id || who.onBehalfOf.includes(value);
    if (kind === 'idp') return value === who.idp || who.onBehalfOf.some((id) => id.endsWith(`@${value}`));
    return kind === 'session' && session !== null && (value === session || `session:${value}` === sessionCredentialId(session));
  });
}

/** For the questions of one authentication. A lock that is set meanwhile raises the change number, and it is asked anew. */
export function listedOnce(locks: Pick<Locks, 'list'>): Pick<Locks, 'list'> {
  let listed: ReturnType<Locks['list']> | undefined;
  return {
    list: () => {
      listed ??= locks.list();
      return listed;
    },
  };
}
