// The version of the state directory and of both databases in it: a newer one is rejected, an older one is copied before anything changes it.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { LictorError } from '../contract/error.ts';
import type { StoreAddress } from '../contract/store-address.ts';
import type { StatePaths } from './state-dir.ts';

/** A release that changes the layout or a table raises it, and changes what `lictor up` finds after `backUpOlderState`. */
export const STATE_VERSION = 1;

/** Throws `state-newer`. `what` has the version: "The store FILE". */
export function assertNotNewer(what: string, version: number): void {
  if (version <= STATE_VERSION) return;
  throw new LictorError(
    'state-newer',
    `${what} has version ${version} and this Lictor knows versions up to ${STATE_VERSION}: run the newer Lictor, restore the backup that it made, or give another directory with --state-dir DIR.`,
  );
}

/** Throws `state-newer` for a state directory that a later Lictor has written. */
export function assertStateNotNewer(versionFile: string): void {
  assertNotNewer(`The state directory (${versionFile})`, readVersion(versionFile));
}

/** Any command may create the state directory: it then has the version of this Lictor. */
export function markNewState(paths: StatePaths): void {
  if (![paths.version, paths.storeFile, paths.ledgerFile].some((file) => existsSync(file))) writeVersion(paths.version, STATE_VERSION);
}

export interface BackupParts {
  readonly paths: StatePaths;
  /** `config.storeAt`: the file may be outside the state directory. Postgres has its own backups. */
  readonly storeAt: StoreAddress;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Only tests have others. */
  readonly version?: number;
}

/** Call it with the state directory claimed and nothing running. Throws `state-backup-failed`: then nothing was changed. */
export async function backUpOlderState({ paths, storeAt, now, log, version = STATE_VERSION }: BackupParts): Promise<void> {
  const from = readVersion(paths.version);
  if (from < version) {
    const target = join(paths.backup, `v${from}-${new Date(now()).toISOString().replaceAll(/[:.]/g, '-')}`);
    await copyState(
      [storeAt, paths.ledgerFile].filter((at) => typeof at === 'string'),
      [paths.configInUse],
      target,
    );
    log(`lictor: the state directory has version ${from}, and gets version ${version}. A copy of it as it was is in ${target}.`);
  }
  if (from < version || !existsSync(paths.version)) writeVersion(paths.version, version);
}

/** Without a version file, the directory has the first version. Throws `state-dir-unusable`. */
export function readVersion(file: string): number {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '1';
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new LictorError('state-dir-unusable', `${file} holds no version number: restore it from a backup.`);
}

function writeVersion(file: string, version: number): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, `${version}\n`, { mode: 0o600, flush: true });
  renameSync(beside, file);
}

/** All files that exist, or no directory. Throws `state-backup-failed`. SQLite itself copies a database: whole, even while another process writes to it. */
async function copyState(databases: readonly string[], files: readonly string[], target: string): Promise<void> {
  const unfinished = `${target}.unfinished`;
  const copyOf = (file: string): string => join(unfinished, basename(file));
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    for (const file of databases.filter((name) => existsSync(name))) {
      using db = new DatabaseSync(file, { readOnly: true });
      await backup(db, copyOf(file));
      chmodSync(copyOf(file), 0o600);
    }
    for (const file of files.filter((name) => existsSync(name))) copyFileSync(file, copyOf(file));
    renameSync(unfinished, target);
  } catch (cause) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new LictorError('state-backup-failed', `The state directory could not be copied to ${target}: nothing was changed. Check its owner and the disk.`, {
      cause,
    });
  }
}
