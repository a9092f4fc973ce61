// `lictor unlock`: removes a lock.
import type { Command } from 'commander';
import { meantWords } from '../config/suggest.ts';
import { type Lock, type LockTarget, lockText } from '../contract/lock.ts';
import { heldTarget, otherNames, parseTarget, TARGET_HELP } from '../identity/manage/lock-target.ts';
import type { HeldTarget } from '../store/locks.ts';
import { type AdminSession, makeItHold, recordFirst, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { asUsage, CommandFailed } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('unlock <what>')
    .description(`remove the lock on ${TARGET_HELP}`)
    .addHelpText('after', '\nExample:\n  lictor unlock alice@local\n')
    .action((what: string) => {
      const target = asUsage(() => parseTarget(what));
      return withStore(context, (session) => unlock(context, session, target));
    });
}

async function unlock(context: CliContext, session: AdminSession, target: LockTarget): Promise<void> {
  const { store } = session;
  const found = await heldTarget(target, session);
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
