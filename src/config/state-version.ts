// Which layout the state directory has: checked by every command, migrated by `lictor up` alone, with a copy first.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { isErrno } from '../contract/errno.ts';
import { LictorError } from '../contract/error.ts';
import type { StatePaths } from './state-dir.ts';

/** Brings the state from the version before it to `to`. Runs while nothing else does; must be safe to run twice. */
export interface Migration {
  readonly to: number;
  readonly run: (paths: StatePaths) => Promise<void>;
}

/** The layout of the first release. */
const FIRST_VERSION = 1;

/** A step that has been released is never edited: add the next one. The tables inside store and ledger have versions of their own. */
const MIGRATIONS: readonly Migration[] = [];

export interface UpgradeParts {
  readonly paths: StatePaths;
  /** `config.storeFile`: it may be elsewhere. */
  readonly storeFile: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Only tests have others. */
  readonly migrations?: readonly Migration[];
}

/** Throws `state-newer` for a state directory that a later Lictor has written. */
export function assertStateNotNewer(versionFile: string, known = newest(MIGRATIONS)): void {
  const version = readVersion(versionFile);
  if (version <= known) return;
  throw new LictorError(
    'state-newer',
    `The state directory has version ${version} and this Lictor knows versions up to ${known} (${versionFile}): run the newer Lictor, restore the backup that it made, or give another directory with --state-dir DIR.`,
  );
}

/** A directory with nothing in it is of this Lictor: whatever command comes first says so. */
export function markNewState(paths: StatePaths): void {
  if (!existsSync(paths.version) && !existsSync(paths.storeFile) && !existsSync(paths.ledgerFile)) writeVersion(paths.version, newest(MIGRATIONS));
}

/** Call it with the state directory claimed and nothing running. Throws `state-upgrade-failed` with where the copy is; the version is then the old one. */
export async function upgradeState(parts: UpgradeParts): Promise<void> {
  const { paths, log, migrations = MIGRATIONS } = parts;
  assertStateNotNewer(paths.version, newest(migrations));
  const from = readVersion(paths.version);
  if (from === newest(migrations) && existsSync(paths.version)) return;
  const present = contents(parts);
  if (present.length === 0 || from === newest(migrations)) return writeVersion(paths.version, newest(migrations));
  const copy = await copyState(parts, from, present);
  log(`lictor: the state directory is brought from version ${from} to ${newest(migrations)}; it was copied to ${copy} first.`);
  for (const step of migrations.filter(({ to }) => to > from)) {
    try {
      await step.run(paths);
    } catch (cause) {
      throw new LictorError('state-upgrade-failed', `The state directory could not be brought to version ${step.to}. As it was before: ${copy}. Report this.`, {
        cause,
      });
    }
    writeVersion(paths.version, step.to);
  }
}

function newest(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.to ?? FIRST_VERSION;
}

/** Without a version file, the directory has the first layout. */
function readVersion(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return FIRST_VERSION;
    throw new LictorError('state-dir-unusable', `${file} cannot be read: let the user that runs lictor read it.`, { cause: error });
  }
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new LictorError('state-dir-unusable', `${file} holds no version number: restore it from a backup.`);
}

function writeVersion(file: string, version: number): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, `${version}\n`, { mode: 0o600, flush: true });
  renameSync(beside, file);
}

interface Kept {
  readonly file: string;
  readonly isDatabase: boolean;
}

/** What somebody would miss, as far as it is there. Logs and the rendered edge are not in it. */
function contents({ paths, storeFile }: UpgradeParts): readonly Kept[] {
  const kept = [
    { file: storeFile, isDatabase: true },
    { file: paths.ledgerFile, isDatabase: true },
    { file: join(paths.root, 'revision.json'), isDatabase: false },
    { file: paths.configInUse, isDatabase: false },
  ];
  return kept.filter(({ file }) => existsSync(file));
}

/** `STATE/backup/vN-TIME`, complete or not there. Databases are copied by SQLite itself: whole, whatever else writes them. */
async function copyState({ paths, now }: UpgradeParts, from: number, present: readonly Kept[]): Promise<string> {
  const target = join(paths.backup, `v${from}-${new Date(now()).toISOString().replaceAll(/[:.]/g, '-')}`);
  const unfinished = `${target}.unfinished`;
  assertRoom(paths, present);
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    for (const { file, isDatabase } of present) await copyOne(file, join(unfinished, basename(file)), isDatabase);
    renameSync(unfinished, target);
    return target;
  } catch (cause) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new LictorError(
      'state-upgrade-failed',
      `The state directory could not be copied to ${target} before its migration: nothing was changed. Check its owner and the disk.`,
      {
        cause,
      },
    );
  }
}

async function copyOne(file: string, target: string, isDatabase: boolean): Promise<void> {
  if (isDatabase) {
    using db = new DatabaseSync(file, { readOnly: true });
    await backup(db, target);
  } else copyFileSync(file, target);
  chmodSync(target, 0o600);
}

function assertRoom({ root }: StatePaths, present: readonly Kept[]): void {
  const needed = present.reduce((sum, { file }) => sum + statSync(file).size, 0);
  const { bavail, bsize } = statfsSync(root);
  if (bavail * bsize > needed * 1.1) return;
  const mebibytes = Math.ceil((needed * 1.1) / (1 << 20));
  throw new LictorError(
    'state-upgrade-failed',
    `Copying the state directory before its migration needs ${mebibytes} MiB below ${root}: free some, then start again. Nothing was changed.`,
  );
}
