// `lictor unlock`: takes a lock away.
import type { Command } from 'commander';
import { type LockTarget, lockText } from '../contract/lock.ts';
import { type AdminSession, makeItHold, recordFirst, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { otherNames, parseTarget, TARGET_HELP } from './lock-target.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('unlock <what>')
    .description(`takes the lock on ${TARGET_HELP} away`)
    .addHelpText('after', '\nExample:\n  lictor unlock alice@local\n')
    .action((what: string) => {
      const target = parseTarget(what);
      return withStore(context, (session) => unlock(context, session, target));
    });
}

async function unlock(context: CliContext, session: AdminSession, target: LockTarget): Promise<void> {
  const { store } = session;
  const held = await store.locks.heldOn(target);
  if (held.length === 0) throw new CommandFailed(`There is no lock on ${lockText(target)}. lictor locks shows them.`);
  for (const lock of held) recordFirst(session, { action: 'lock.remove', resourceType: 'Lock', resourceId: lockText(lock) });
  const also = otherNames(target, await store.locks.remove(target));
  await makeItHold(session);
  context.out.write(`${lockText(target)} is unlocked.\n${also === '' ? '' : `${also}\n`}`);
}
