// Puts an unpacked backup in the place of a state directory. While it is in between, every command refuses to work, and a second restore completes it.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../../config/state-dir.ts';
import { isErrno } from '../../contract/errno.ts';

export interface PlaceParts {
  readonly paths: Pick<StatePaths, 'root' | 'restored' | 'restoring'>;
  /** Of the configuration: it may be outside the state directory. */
  readonly storeFile: string;
  /** The command line has a configuration: that of the backup goes aside. */
  readonly hasConfig: boolean;
  /** Where the former state goes. */
  readonly aside: string;
}

/** SQLite must not find its own files of a former database beside the new one. The new ledger has not read the former access log. */
const DATABASE = ['', '-wal', '-shm'];
const REPLACED = [
  ...DATABASE.map((end) => `ledger.db${end}`),
  ...['keys', 'tls', 'exports', 'announced.json', 'config-in-use.yaml', 'log/access.log', 'log/access.log.1'],
];
/** Only where there is none: an administrator may have written another one. */
const ADDED = ['lictor.yaml', 'policies'];

const OF_BACKUP = '.of-backup';

/** True if `putInPlace` moved a state there, and not only what the backup has beside it. */
export function hasFormer(aside: string): boolean {
  return existsSync(aside) && readdirSync(aside).some((name) => !name.endsWith(OF_BACKUP));
}

/** True if a restore would replace something. */
export function hasState({ root }: Pick<StatePaths, 'root'>, storeFile: string): boolean {
  return [storeFile, ...REPLACED.map((name) => join(root, name))].some(isFilled);
}

/** Call it with the state directory claimed, and a complete restore in `paths.restored`; or after an interruption: it goes on. */
export function putInPlace(parts: PlaceParts): void {
  const { paths } = parts;
  if (existsSync(paths.restored)) {
    for (const { name, to } of places(parts)) if (isFilled(to)) move(to, join(parts.aside, name));
    // From here on, whatever has one of these names is of the restore.
    renameSync(paths.restored, paths.restoring);
  }
  const whole = [...places(parts), { name: 'version', to: join(paths.root, 'version') }];
  for (const { name, to } of whole) if (existsSync(join(paths.restoring, name))) move(join(paths.restoring, name), to);
  for (const name of ADDED) add(name, parts);
  rmSync(paths.restoring, { recursive: true });
}

function add(name: string, { paths, hasConfig, aside }: PlaceParts): void {
  const [from, to] = [join(paths.restoring, name), join(paths.root, name)];
  const isPresent = existsSync(to) || (name === 'lictor.yaml' && hasConfig);
  if (existsSync(from)) move(from, isPresent ? join(aside, `${name}${OF_BACKUP}`) : to);
}

function isFilled(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() === true ? readdirSync(path).length > 0 : (stats?.size ?? 0) > 0;
}

function places({ paths, storeFile }: PlaceParts) {
  return [...REPLACED.map((name) => ({ name, to: join(paths.root, name) })), ...DATABASE.map((end) => ({ name: `lictor.db${end}`, to: `${storeFile}${end}` }))];
}

function move(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, 'EXDEV')) throw error;
    copyFileSync(from, `${to}.partial`);
    renameSync(`${to}.partial`, to);
    rmSync(from);
  }
}
