// Directories that nginx's workers must enter and write. They are another user when lictor runs as root.
import { existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../../../config/state-dir.ts';
import type { WorkerUser } from '../../../config/worker-user.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** Directories from `path` up to the root that the user cannot pass through. */
export function closedParents(path: string, user: Pick<WorkerUser, 'uid' | 'gid'>): readonly string[] {
  const parent = dirname(path);
  const above = parent === path ? [] : closedParents(parent, user);
  return mayPass(statSync(path), user) ? above : [...above, path];
}

function mayPass(stats: Pick<Stats, 'mode' | 'uid' | 'gid'>, user: Pick<WorkerUser, 'uid' | 'gid'>): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & 1) === 1;
}

/** The nginx in use stores large request bodies below it. Undefined: no configuration is rendered yet. */
export function tempDirInUse(paths: Pick<StatePaths, 'edge'>): string | undefined {
  const file = join(paths.edge, 'current', 'nginx.conf');
  if (!existsSync(file)) return undefined;
  return /^\s*client_body_temp_path "?([^";]+)\/client_body"?;/m.exec(readFileSync(file, 'utf8'))?.[1];
}

/** `user` null: the workers are this user. */
export function checkParents(root: string, user: WorkerUser | null, tempDir: string | undefined): Verdict {
  if (user === null) return ok("nginx's workers run as this user, who can enter every parent of the state directory");
  const closed = closedParents(root, user);
  if (closed.length === 0) return ok(`${user.name} can enter every parent of ${root}`);
  const message = `${user.name}, the user of nginx's workers, cannot enter ${closed.join(', ')}`;
  const remedy = `chmod o+x ${closed.join(' ')}, or give another --state-dir; then restart lictor up.`;
  if (tempDir?.startsWith(`${root}/`) === true) return fail(`${message}: nginx loses request bodies above 128 KiB, and stock clients do not notice`, remedy);
  return warn(`${message}: nginx holds large request bodies in memory instead`, remedy);
}

/** Bodies above 128 KiB go there; logs arrive in batches of up to 4 MB. nginx creates the directory for its workers. */
export function checkTempDir(tempDir: string | undefined, user: WorkerUser | null): Verdict {
  if (tempDir === undefined) return warn('there is no directory for large request bodies yet', 'lictor up creates it.');
  const dir = join(tempDir, 'client_body');
  const stats = statSync(dir, { throwIfNoEntry: false });
  if (stats === undefined) return fail(`the directory for large request bodies ${dir} is missing`, 'Restart lictor up: it creates the directory.');
  const owner = user?.uid ?? process.geteuid?.() ?? 0;
  const writable = stats.uid === owner ? (stats.mode & 0o300) === 0o300 : false;
  if (writable) return ok(`${user?.name ?? 'this user'} can write large request bodies to ${dir}`);
  return fail(
    `${user?.name ?? 'this user'} cannot write to ${dir}: large request bodies fail`,
    `chown ${user?.name ?? owner} ${dir} && chmod 700 ${dir}, or restart lictor up.`,
  );
}
