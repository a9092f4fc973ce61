// Checks who owns a state directory: a command of another user would create files that the user of the gateway cannot change.
import { accessSync, constants, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { isErrno } from '../contract/errno.ts';
import { LictorError } from '../contract/error.ts';
import { statePaths } from './state-dir.ts';

/** The user of this process. Tests pass another one. */
export interface ProcessUser {
  readonly uid: number;
  readonly mayWrite: (dir: string) => boolean;
}

/**
 * Throws `state-dir-unusable` if the gateway of this directory runs as another user, with the command to run as that user.
 * The owner of the logs runs the gateway; the directory itself may belong to another (root in a container, a group in Kubernetes).
 * A directory that does not exist has no owner. Does not check other files.
 */
export function assertStateOurs(stateDir: string, user: ProcessUser = thisProcess()): void {
  const root = statsOf(() => statSync(stateDir));
  if (root === undefined || root === 'hidden') return;
  const { log } = statePaths(stateDir, stateDir);
  const logs = statsOf(() => lstatSync(log));
  if (logs === undefined) {
    assertNewOneOurs(stateDir, root.uid, user);
    return;
  }
  const owner = logs === 'hidden' ? root.uid : logs.uid;
  if (owner === user.uid) return;
  if (root.uid !== user.uid) throw unusable(`${stateDir} ${belongsTo(owner)}.`);
  const giveBack = `where the gateway runs as ${nameOf(user.uid)}, give all of it back (as root: chown -R ${nameOf(user.uid)} ${stateDir})`;
  throw unusable(`${log} ${belongsTo(owner)}; or, ${giveBack}.`);
}

/** The owner's gateway could not start with files of root. Any other user that can write was permitted on purpose. */
function assertNewOneOurs(stateDir: string, owner: number, user: ProcessUser): void {
  if (owner === user.uid || (user.uid !== 0 && user.mayWrite(stateDir))) return;
  const give = user.uid === 0 ? `; or, where the gateway runs as root, give it to root (chown -R root ${stateDir})` : '';
  throw unusable(`${stateDir} ${belongsTo(owner)}, or give another one with --state-dir DIR${give}.`);
}

function belongsTo(owner: number): string {
  const as = owner === 0 ? 'sudo' : `sudo -u ${sudoNameOf(owner)}`;
  return `belongs to user ${nameOf(owner)}: run this as that user (${as} ./lictor ...)`;
}

function unusable(message: string): LictorError {
  return new LictorError('state-dir-unusable', message);
}

/** Users of a directory service are not in the file: then the answer is the number, which chown accepts. */
function nameOf(uid: number): string {
  return userName(readFileSync('/etc/passwd', 'utf8'), uid) ?? String(uid);
}

/** sudo needs # before a number. The quotes prevent that a shell reads it as a comment. */
function sudoNameOf(uid: number): string {
  const name = nameOf(uid);
  return name === String(uid) ? `'#${uid}'` : name;
}

/** The first user with this number. */
export function userName(passwd: string, uid: number): string | undefined {
  const fields = passwd.split('\n').map((line) => line.split(':'));
  return fields.find((line) => line[2] === String(uid))?.[0];
}

function statsOf(read: () => Stats): Stats | 'hidden' | undefined {
  try {
    return read();
  } catch (error) {
    return isErrno(error, 'ENOENT') ? undefined : 'hidden';
  }
}

function thisProcess(): ProcessUser {
  return { uid: process.geteuid?.() ?? 0, mayWrite };
}

function mayWrite(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
