// `lictor restore`: a state directory from a backup. Nothing is revived that may have been revoked since.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import { prepareStateDir } from '../config/runtime-dir.ts';
import { type StatePaths, statePaths } from '../config/state-dir.ts';
import { assertStateOurs } from '../config/state-owner.ts';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import { type StoreAddress, shownAddress } from '../contract/store-address.ts';
import type { Opener } from '../operations/backup/seal.ts';
import { collect } from './backup.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { operatorOf } from './operator.ts';
import { createProgress } from './progress.ts';
import { restoredJson, restoredText } from './restore-text.ts';
import { whyNotWritten } from './write-whole.ts';

interface Options {
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
  readonly replace?: boolean;
  readonly check?: boolean;
  readonly json?: boolean;
}

const HELP = `
Stop the gateway first. Sessions, logins and tokens of flow runs of the backup end. Service tokens and accounts wait: they may have been revoked after the
backup. The gateway answers them 503 until you confirm each, or give it another secret. Lictor reads the whole backup before it changes anything.

Example:
  lictor restore lictor-2026-12-02.age --identity backup-key.txt --state-dir /var/lib/lictor
  lictor token confirm etl-worker
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('restore')
    .argument('<file>', 'what lictor backup wrote')
    .description('restore the state from a backup, into an empty state directory')
    .option('--identity <file>', 'the identity of a recipient; repeatable', collect)
    .option('--passphrase-file <file>', 'instead: a file with the passphrase')
    .option('--replace', 'move the present state to STATE/backup, and confirm what still holds by it')
    .option('--check', 'only read the whole backup, and change nothing')
    .option('--json', 'one object')
    .addHelpText('after', HELP)
    .action((file: string, options: Options) => restore(context, file, options));
}

async function restore(context: CliContext, file: string, options: Options): Promise<void> {
  const { openerOf } = await import('./backup-key.ts');
  const { checkBackup } = await import('../operations/backup/restore.ts');
  const opener = await openerOf(options);
  const progress = createProgress(context.err);
  progress.say('reading the backup');
  const header = await readable(file, () => checkBackup(file, opener)).finally(progress.end);
  if (options.check === true) {
    const { id, made_at: madeAt } = header;
    context.out.write(options.json === true ? `${JSON.stringify({ id, made_at: madeAt })}\n` : `${file} is a whole backup of ${madeAt}.\n`);
    return;
  }
  await whileStopped(context.stateDir(), (paths) => replaceState(context, { file, opener, paths, ...options }));
}

/** With the claim of the supervisor, so that no gateway starts meanwhile. At the end, the cached decisions of the former state are gone too. */
async function whileStopped(stateDir: string, work: (paths: StatePaths) => Promise<void>): Promise<void> {
  assertStateOurs(stateDir);
  const { claimStateDir, releaseStateDir } = await import('../operations/supervise/claim.ts');
  const paths = prepareStateDir(stateDir, { restoring: 'completed' });
  const other = await claimStateDir(paths);
  if (other !== undefined) throw new CommandFailed(`Nothing was changed: a gateway uses ${stateDir} (process ${other}). Stop it first.`);
  try {
    await work(paths);
  } finally {
    await releaseStateDir(paths);
  }
}

interface Task extends Options {
  readonly file: string;
  readonly opener: Opener;
  readonly paths: StatePaths;
}

async function replaceState(context: CliContext, { file, opener, paths, replace = false, json = false }: Task): Promise<void> {
  const { hasFormer, hasState, putInPlace } = await import('../operations/backup/place.ts');
  const { restoreInto } = await import('../operations/backup/restore.ts');
  const { isStoreUsed, liveNodes, readLaterStore } = await import('../store/dump.ts');
  const aside = join(paths.backup, `before-restore-${new Date(systemClock()).toISOString().replaceAll(/[:.]/g, '-')}`);
  const hasConfig = existsSync(context.configFile());
  const unfinished = [paths.restored, paths.restoring].find((each) => existsSync(each));
  if (unfinished !== undefined) {
    putInPlace({ paths, hasConfig, storeFile: fileOf(storeOf(context, unfinished), paths), aside });
    context.out.write('The interrupted restore is complete.\n');
    return;
  }
  const assertEmpty = async (at: StoreAddress): Promise<void> => {
    if (replace) return;
    if (typeof at !== 'string' && (await isStoreUsed(at))) throw inUse(shownAddress(at), await liveNodes(at));
    if (hasState(paths, fileOf(at, paths))) throw full(paths);
  };
  const present = hasConfig ? storeOf(context, paths.root) : paths.storeFile;
  await assertEmpty(present);
  const into = `${paths.restored}.partial`;
  rmSync(into, { recursive: true, force: true });
  const progress = createProgress(context.err);
  const { principal, asserted } = operatorOf(context.env);
  const by = { time: '', principal, principal_kind: 'user', on_behalf_of: asserted } as const;
  const later = await readLaterStore(present, systemClock());
  const parts = { file, opener, into, later, by, clock: systemClock, progress: progress.say };
  const restored = await written(paths.root, () => restoreInto(parts)).finally(progress.end);
  const storeAt = storeOf(context, into);
  try {
    await assertEmpty(storeAt);
    if (typeof storeAt !== 'string') await (await import('../operations/backup/into-postgres.ts')).moveIntoPostgres(into, storeAt);
  } catch (error) {
    rmSync(into, { recursive: true });
    throw error;
  }
  renameSync(into, paths.restored);
  putInPlace({ paths, hasConfig, storeFile: fileOf(storeAt, paths), aside });
  const done = { ...restored, root: paths.root, aside: hasFormer(aside) ? aside : null };
  context.out.write(json ? `${JSON.stringify(restoredJson(done))}\n` : restoredText(done, (words) => context.commandLine(words, context.configFile())));
}

/** A Postgres store has no file: then no file of the restore goes there. */
function fileOf(at: StoreAddress, { storeFile }: StatePaths): string {
  return typeof at === 'string' ? at : storeFile;
}

function full({ root }: StatePaths): CommandFailed {
  return new CommandFailed(
    `Nothing was changed: ${root} has a state already. Name an empty directory (--state-dir DIR), or take --replace: it moves the present state to ${root}/backup.`,
  );
}

/** Here `--replace` deletes rows, and an empty state directory changes nothing. */
function inUse(store: string, nodes: readonly string[]): CommandFailed {
  const found = nodes.length > 0 ? `these nodes use the store ${store}: ${nodes.join(', ')}` : `the store ${store} has rows already`;
  return new CommandFailed(
    `Nothing was changed: ${found}. Name an empty database in \`store\`. Or stop all nodes, back the store up, and take --replace: it deletes those rows.`,
  );
}

/** By the configuration of the command line, else by the one of the backup. */
function storeOf(context: CliContext, backup: string): StoreAddress {
  const given = context.configFile();
  const file = existsSync(given) ? given : join(backup, 'lictor.yaml');
  if (!existsSync(file)) return statePaths(context.stateDir(), '').storeFile;
  const loaded = loadConfig(file, context.env, { stateDir: context.stateDir(), secrets: 'skip' });
  if (loaded.ok) return loaded.config.storeAt;
  throw new CommandFailed(`Nothing was changed. ${loaded.problems.map((problem) => renderProblem(file, problem)).join('')}`.trimEnd());
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof LictorError) throw cause;
    throw new CommandFailed(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

async function written<T>(root: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof LictorError) throw cause;
    throw new CommandFailed(`Nothing was changed: ${root} cannot be written: ${whyNotWritten(cause, root)}`, cause);
  }
}
