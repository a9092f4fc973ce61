// `lictor unlock`: removes a lock.
import type { Command } from 'commander';
import { meantWords } from '../config/suggest.ts';
import { type Lock, type LockTarget, lockText } from '../contract/lock.ts';
import { BREAK_GLASS } from '../contract/names.ts';
import { accountsProvider, mayBeAccounts } from '../identity/authn/accounts/principal.ts';
import type { HeldTarget } from '../store/locks.ts';
import { type AdminSession, makeItHold, recordFirst, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { otherNames, parseTarget, TARGET_HELP } from './lock-target.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('unlock <what>')
    .description(`remove the lock on ${TARGET_HELP}`)
    .addHelpText('after', '\nExample:\n  lictor unlock alice@local\n')
    .action((what: string) => {
      const target = parseTarget(what);
      return withStore(context, (session) => unlock(context, session, target));
    });
}

async function unlock(context: CliContext, session: AdminSession, target: LockTarget): Promise<void> {
  const { store } = session;
  const found = { ...target, ofAccounts: await isOfAccounts(target, session) };
  const held = await store.locks.heldOn(found);
  if (held.length === 0) {
    const known = (await store.locks.list()).map(lockText);
    throw new CommandFailed(`There is no lock on ${lockText(target)}.${meantWords(lockText(target), known)} lictor locks shows them.`);
  }
  const also = otherNames(target, await removeLock(context, session, { target: found, held }));
  context.out.write(`${lockText(target)} is unlocked.\n${also === '' ? '' : `${also}\n`}`);
}

export async function removeLock(
  context: CliContext,
  session: AdminSession,
  { target, held }: { readonly target: HeldTarget; readonly held: readonly Lock[] },
): Promise<readonly string[]> {
  for (const lock of held) recordFirst(session, { action: 'lock.remove', resourceType: 'Lock', resourceId: lockText(lock) });
  const removed = await session.store.locks.remove(target);
  await makeItHold(context, session);
  return removed;
}

/** True for the current name of the accounts' provider, and for its name at the time of the lock, unless another provider has that name now. */
async function isOfAccounts({ kind, value }: LockTarget, { store, config }: AdminSession): Promise<boolean> {
  if (kind !== 'idp' && (kind !== 'principal' || !value.includes('@'))) return false;
  const idp = kind === 'idp' ? value : value.slice(value.lastIndexOf('@') + 1);
  if (idp === accountsProvider(config) || idp === BREAK_GLASS) return true;
  const exact = (await store.locks.list()).find((lock) => lock.kind === kind && lock.value === value);
  return exact?.ofAccounts === true && mayBeAccounts(idp, config);
}
