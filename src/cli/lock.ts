// `lictor lock`: locks a principal, session, provider or address at once. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
import { byWhom } from '../contract/chain-words.ts';
import { systemClock } from '../contract/clock.ts';
import { type LockTarget, lockText, type NewLock } from '../contract/lock.ts';
import { checkTarget, otherNames, parseTarget, TARGET_HELP } from '../identity/manage/lock-target.ts';
import { type AdminChange, type AdminSession, completeRemoval, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { asUsage } from './errors.ts';
import { durationOf, lineOf } from './option-values.ts';

interface Options {
  readonly for?: number;
  readonly why?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('lock <what>')
    .description(`lock out ${TARGET_HELP}: denies the next request and closes open sockets`)
    .option('--for <duration>', 'how long it holds: 1h, 30d (default: until lictor unlock)', durationOf('--for'))
    .option('--why <text>', 'shown by lictor locks', lineOf('--why'))
    .addHelpText(
      'after',
      '\nExample:\n  lictor lock alice@local --why "laptop stolen"\n  lictor lock token:etl-worker --for 1h\n  lictor lock address:192.0.2.0/24\n  lictor lock idp:okta\n',
    )
    .action((what: string, options: Options) => {
      const target = asUsage(() => parseTarget(what));
      return withStore(context, (session) => lock(context, session, target, options));
    });
}

async function lock(context: CliContext, session: AdminSession, target: LockTarget, options: Options): Promise<void> {
  const { note, ofAccounts } = await checkTarget(target, session);
  const expiresMs = options.for === undefined ? null : systemClock() + options.for;
  const locked = await putLock(context, session, { ...target, ofAccounts, why: options.why ?? '', expiresMs });
  const until = expiresMs === null ? '' : ` until ${new Date(expiresMs).toISOString()}`;
  const also = otherNames(target, locked);
  const lines = [
    `${lockText(target)} is locked${until}. lictor unlock ${lockText(target)} ends it.`,
    ...(also === '' ? [] : [also]),
    ...(note === null ? [] : [note]),
  ];
  context.out.write(`${lines.join('\n')}\n`);
}

/** Returns when the lock holds everywhere, with the locked values. */
export async function putLock(context: CliContext, session: AdminSession, lock: Omit<NewLock, 'by'>): Promise<readonly string[]> {
  const { operator, store } = session;
  const locked = await store.locks.put({ ...lock, by: byWhom(operator.principal, operator.asserted) });
  const changes = locked.map((value): AdminChange => ({ action: 'lock.create', resourceType: 'Lock', resourceId: lockText({ kind: lock.kind, value }) }));
  await completeRemoval(context, session, ...changes);
  return locked;
}
