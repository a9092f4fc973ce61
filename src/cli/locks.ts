// `lictor locks`: lists the locks in force.
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { type Lock, lockText } from '../contract/lock.ts';
import { minuteOf } from '../contract/time-text.ts';
import { noteOnLock } from '../identity/authn/lock-notes.ts';
import { lockJson } from '../identity/manage/lock-json.ts';
import { withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { renderTable, type Terminal } from './table.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('locks')
    .description('every lock that holds')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor locks --json\n')
    .action((options: { json?: boolean }) =>
      withStore(context, async ({ store, config }) => {
        const locks = await store.locks.list();
        context.out.write(options.json === true ? `${JSON.stringify(locks.map((lock) => lockJson(lock, config)))}\n` : render(locks, config, context));
      }),
    );
}

function render(locks: readonly Lock[], config: Config, terminal: Terminal): string {
  if (locks.length === 0) return 'No locks. To lock out a principal: lictor lock WHAT.\n';
  const rows = locks.map((lock) => [
    lockText(lock),
    lock.by,
    minuteOf(lock.createdMs),
    lock.expiresMs === null ? 'unlocked' : minuteOf(lock.expiresMs),
    lock.why,
  ]);
  const notes = locks.flatMap((lock) => {
    const note = noteOnLock(lock, config);
    return note === null ? [] : [`${lockText(lock)}: ${note}.\n`];
  });
  return `${renderTable([['WHAT', 'BY', 'SINCE (UTC)', 'UNTIL', 'WHY'], ...rows], terminal)}${notes.join('')}`;
}
