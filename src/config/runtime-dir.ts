// The runtime directory: a short path on tmpfs that nginx's workers can reach and no other user can have prepared.
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '../contract/errno.ts';
import { LictorError } from '../contract/error.ts';
import { type StatePaths, statePaths } from './state-dir.ts';
import { assertStateOurs } from './state-owner.ts';
import { assertStateNotNewer, markNewState } from './state-version.ts';
import { nginxWorkerUser } from './worker-user.ts';

const TMPFS_MAGIC = 0x01021994;

/** sun_path holds 108 bytes with the closing zero. */
const SOCKET_PATH_BYTES = 107;

/**
 * Creates what lives in the state directory and the runtime directory behind `STATE/run`; idempotent.
 * Throws `state-dir-unusable`, `state-newer`, `state-restoring` or `runtime-dir-unusable` with the remedy in the message.
 */
export function prepareStateDir(stateDir: string, { restoring = 'rejected' }: { readonly restoring?: 'rejected' | 'completed' } = {}): StatePaths {
  assertStateOurs(stateDir);
  const root = prepareRoot(stateDir);
  assertStateNotNewer(statePaths(root, root).version);
  if (restoring === 'rejected') assertNotRestoring(statePaths(root, root));
  const runtime = prepareRuntimeDir(root, runtimeBases(process.env));
  const paths = statePaths(root, runtime);
  ownDirectory(paths.log, directoryMode());
  ownDirectory(paths.edge, 0o700);
  for (const log of [paths.accessLog, paths.edgeErrorLog]) ownLog(log);
  linkAtomically(runtime, paths.run);
  markNewState(paths);
  prepareDecisionCache(paths.decisionCache);
  return paths;
}

function assertNotRestoring({ restored, restoring }: StatePaths): void {
  if (!existsSync(restored) && !existsSync(restoring)) return;
  throw new LictorError(
    'state-restoring',
    'A restore into this state directory was interrupted: run lictor restore FILE again, with the same backup. It goes on.',
  );
}

/** Removes the runtime directory and its link, for temporary state directories (tests, `demo --once`). */
export function removeRuntimeDir(paths: StatePaths): void {
  rmSync(dirname(paths.decisionSocket), { recursive: true, force: true });
  rmSync(paths.run, { force: true });
}

/** Where the runtime directory may be, best first. Root skips XDG_RUNTIME_DIR: nginx's worker user cannot enter it. */
export function runtimeBases(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const uid = ourUid();
  const bases: string[] = [];
  if (isWritableTmpfs('/dev/shm')) bases.push(`/dev/shm/lictor-${uid}`);
  const xdg = env['XDG_RUNTIME_DIR'];
  if (uid !== 0 && xdg?.startsWith('/') === true && isDirectory(xdg)) bases.push(join(xdg, 'lictor'));
  bases.push(`/tmp/lictor-${uid}`);
  return bases;
}

/** Creates `BASE/<12 hex of the state directory's real path>` in the first base whose socket paths are short enough. */
export function prepareRuntimeDir(realStateDir: string, bases: readonly string[]): string {
  const name = createHash('sha256').update(realStateDir).digest('hex').slice(0, 12);
  const base = bases.find((candidate) => longestSocketPath(join(candidate, name)) <= SOCKET_PATH_BYTES);
  if (base === undefined) throw unusableRuntime(bases[0] ?? '/tmp', 'its path is too long for a socket');
  checkParent(dirname(base));
  ownRuntimeDirectory(base);
  const runtime = join(base, name);
  ownRuntimeDirectory(runtime);
  return runtime;
}

function prepareRoot(stateDir: string): string {
  try {
    mkdirSync(stateDir, { recursive: true, mode: directoryMode() });
    const root = realpathSync(stateDir);
    accessSync(root, constants.W_OK | constants.X_OK);
    return root;
  } catch (cause) {
    throw new LictorError('state-dir-unusable', `The state directory ${stateDir} cannot be created or written: give another one with --state-dir DIR.`, {
      cause,
    });
  }
}

/** If root runs the gateway, nginx's workers have another user. They may pass through the directory, and not list it. */
function directoryMode(): number {
  return ourUid() === 0 ? 0o711 : 0o700;
}

function ownDirectory(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== ourUid()) {
    throw new LictorError('state-dir-unusable', `${path} is not a directory of this user: move it away, or give another state directory with --state-dir DIR.`);
  }
}

/** `nginx -t` would create the logs readable for all users. They name principals and their requests. */
function ownLog(path: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  fchmodSync(descriptor, 0o600);
  closeSync(descriptor);
}

/** mkdir fails if anything exists, even a dangling link. An existing directory must belong to this user. */
function ownRuntimeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o711 });
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw unusableRuntime(path, 'it cannot be created', cause);
  }
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) throw unusableRuntime(path, 'it is a symbolic link');
  if (!stats.isDirectory()) throw unusableRuntime(path, 'it is not a directory');
  if (stats.uid !== ourUid()) throw unusableRuntime(path, `it belongs to user ${stats.uid}`);
  if ((stats.mode & 0o777) !== 0o711) chmodSync(path, 0o711);
}

/** Only root and this user may replace the base by another directory. If others can write to the parent, it needs the sticky bit. */
function checkParent(path: string): void {
  const stats = statSync(path);
  if (stats.uid !== 0 && stats.uid !== ourUid()) throw unusableRuntime(path, `it belongs to user ${stats.uid}`);
  if (othersMayWrite(stats) && (stats.mode & 0o1000) === 0) throw unusableRuntime(path, 'other users can write to it and it has no sticky bit');
}

function othersMayWrite(stats: Stats): boolean {
  return (stats.mode & 0o022) !== 0;
}

function prepareDecisionCache(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const user = nginxWorkerUser();
  if (user !== null) chownSync(path, user.uid, user.gid);
  chmodSync(path, 0o700);
}

/** Creates the link under another name and renames it, so that a reader always finds one of the two. */
function linkAtomically(target: string, link: string): void {
  const existing = lstatSync(link, { throwIfNoEntry: false });
  if (existing?.isSymbolicLink() === true && readlinkSync(link) === target) return;
  if (existing !== undefined && !existing.isSymbolicLink()) {
    throw new LictorError('state-dir-unusable', `${link} must be a symbolic link made by lictor: move it away.`);
  }
  const beside = join(dirname(link), `.${basename(link)}.${process.pid}`);
  rmSync(beside, { force: true });
  symlinkSync(target, beside);
  renameSync(beside, link);
}

/** The longest name of a socket: that of a server of Prefect (src/edge/nginx/render-upstream.ts). */
const LONGEST_NAME = '0123456789ab.sock';

function longestSocketPath(runtime: string): number {
  return Buffer.byteLength(join(statePaths('/', runtime).memberSockets, LONGEST_NAME));
}

function isWritableTmpfs(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function ourUid(): number {
  return process.geteuid?.() ?? 0;
}

function unusableRuntime(path: string, why: string, cause?: unknown): LictorError {
  return new LictorError('runtime-dir-unusable', `The runtime directory ${path} is not safe to use: ${why}. Remove it, then start again.`, { cause });
}
