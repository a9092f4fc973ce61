// What a lock matches under the present configuration, if its text alone would mislead.
import type { Config } from '../../config/config.ts';
import { type Lock, lockText } from '../../contract/lock.ts';
import { BREAK_GLASS } from '../../contract/names.ts';
import { accountsProvider } from './accounts/principal.ts';
import type { LocksUnder } from './locks.ts';

/** Null: it matches exactly the principal that it names. */
export function noteOnLock({ kind, value, ofAccounts }: Lock, config: Pick<Config, 'identityProviders'>): string | null {
  const at = value.lastIndexOf('@');
  if (kind === 'address' || kind === 'session' || (kind === 'principal' && at < 0)) return null;
  const idp = kind === 'idp' ? value : value.slice(at + 1);
  if (!ofAccounts && isKnown(idp, config)) return null;
  if (!ofAccounts) return `there is no identity provider ${idp} in the configuration: it locks no one who can log in now`;
  const now = accountsProvider(config) ?? BREAK_GLASS;
  if (idp === now) return null;
  return `accounts are called ${now} now: it holds on ${kind === 'idp' ? `idp:${now}` : `${value.slice(0, at)}@${now}`}`;
}

/** At a start and at each reload: no lock silently loses its effect because a provider was removed or renamed. */
export async function warnOfLocks({ locks, config }: LocksUnder, log: WarnLog): Promise<void> {
  try {
    for (const lock of await locks.list()) {
      const note = noteOnLock(lock, config);
      if (note !== null) log.warn({ lock: lockText(lock) }, `a lock is on another name than those of the configuration: ${note}`);
    }
  } catch (error) {
    // No decision depends on the warning: Lictor rejects a request if it cannot read the locks.
    log.warn({ err: error }, 'locks could not be looked at');
  }
}

interface WarnLog {
  warn(fields: object, message: string): void;
}

function isKnown(idp: string, { identityProviders }: Pick<Config, 'identityProviders'>): boolean {
  return idp === BREAK_GLASS || identityProviders.some(({ id }) => id === idp);
}
