// `lictor locks`: every lock that holds.
import type { Command } from 'commander';
import { type Lock, lockText } from '../contract/lock.ts';
import { renderTable, withStore } from './admin.ts';
import type { CliContext } from './context.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('locks')
    .description('every lock that holds')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor locks --json\n')
    .action((options: { json?: boolean }) =>
      withStore(context, async ({ store }) => {
        const locks = await store.locks.list();
        context.out.write(options.json === true ? `${JSON.stringify(locks.map(lockJson))}\n` : render(locks));
      }),
    );
}

function lockJson(lock: Lock): Readonly<Record<string, unknown>> {
  const { kind, value, why, by } = lock;
  return { what: lockText(lock), kind, value, why, by, created_at: iso(lock.createdMs), expires_at: lock.expiresMs === null ? null : iso(lock.expiresMs) };
}

function render(locks: readonly Lock[]): string {
  if (locks.length === 0) return 'No locks. lictor lock WHAT shuts somebody out.\n';
  const rows = locks.map((lock) => [lockText(lock), lock.by, minute(lock.createdMs), lock.expiresMs === null ? 'unlocked' : minute(lock.expiresMs), lock.why]);
  return renderTable([['WHAT', 'BY', 'SINCE (UTC)', 'UNTIL', 'WHY'], ...rows]);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function minute(ms: number): string {
  return iso(ms).slice(0, 16).replace('T', ' ');
}
