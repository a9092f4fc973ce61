// `lictor store migrate`: copies the SQLite store into a Postgres database.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { postgresComplaint } from '../config/sections/store.ts';
import { shownAddress } from '../contract/store-address.ts';
import { supervisorPid } from '../operations/doctor/inside/processes.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { createProgress } from './progress.ts';

interface Options {
  readonly to: string;
  readonly passwordFile?: string;
  readonly json?: boolean;
}

const HELP = `
Stop the gateway before: it would write into the old store. Nothing in the old store changes. The copy is one transaction, so you can repeat it after an abort.
The first start with the new store adds the ledger.

Example:
  lictor store migrate --to "postgres://lictor@db.example/lictor?sslmode=verify-full" --password-file store-password
`;

export function register(program: Command, context: CliContext): void {
  const store = program.command('store').description('move the store to Postgres (docs/how-to/postgres.md)').addHelpText('after', HELP);
  store
    .command('migrate')
    .description('copy the SQLite store into a Postgres database, and compare both')
    .requiredOption('--to <url>', 'an empty database, without the password: postgres://USER@HOST/DATABASE')
    .option('--password-file <file>', 'a file with the password (default: PGPASSWORD or PGPASSFILE)')
    .option('--json', 'one object')
    .addHelpText('after', HELP)
    .action((options: Options) => migrate(context, options));
}

async function migrate(context: CliContext, { to: url, passwordFile, json }: Options): Promise<void> {
  const complaint = postgresComplaint(url);
  if (complaint !== undefined) throw new UsageError(`--to ${complaint.message}. ${complaint.remedy}`);
  if (new URL(url).password !== '') throw new UsageError('--to has a password, which other users of this machine can see: use --password-file.');
  const { config, paths } = await context.loadContext({ secrets: 'skip', store: 'existing' });
  const from = config.storeAt;
  if (typeof from !== 'string') throw new CommandFailed(`Nothing was changed: the store is on Postgres already, ${shownAddress(from)}.`);
  if (supervisorPid(paths) !== undefined) throw new CommandFailed('Nothing was changed: the gateway runs and would write into the old store. Stop it first.');
  const { copyToPostgres } = await import('../store/copy-to-postgres.ts');
  const progress = createProgress(context.err);
  const at = { url, passwordFile: passwordFile === undefined ? null : resolve(passwordFile) };
  const onProgress = (rows: number): void => progress.say(`${rows.toLocaleString('en')} rows copied and compared`);
  const { isNew, tables } = await copyToPostgres({ from, to: at, onProgress }).finally(progress.end);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  if (json === true) return void context.out.write(`${JSON.stringify({ to: shownAddress(at), copied: isNew, rows, tables })}\n`);
  const done = isNew ? 'has all' : 'had all before:';
  context.out.write(
    `${shownAddress(at)} ${done} ${rows.toLocaleString('en')} rows of ${from}: counts and digests agree.\nNow write it into store in lictor.yaml.\n`,
  );
}
