// The directory in which nginx's workers store large request bodies.
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../../config/state-dir.ts';
import type { WorkerUser } from '../../config/worker-user.ts';

/**
 * `STATE/tmp`, or the runtime directory if the worker user cannot enter a parent of the state directory (`/root`). Otherwise, nginx would lose
 * bodies larger than the buffer. nginx creates directories in it. At every start, reload and test, root's nginx gives each of them to its workers,
 * by name and through links. So the directory itself never belongs to the workers, who may only enter it.
 */
export function prepareTempDir(paths: StatePaths, workerUser: WorkerUser | null): string {
  const dir = tempDirAt(paths, workerUser);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (workerUser !== null) chownSync(dir, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  chmodSync(dir, workerUser === null ? 0o700 : 0o711);
  removeOthers(dir);
  return dir;
}

/** Earlier, the directory belonged to the workers. nginx creates only directories in it. */
function removeOthers(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) if (!entry.isDirectory()) rmSync(join(dir, entry.name), { force: true });
}

export function tempDirAt(paths: StatePaths, workerUser: WorkerUser | null): string {
  const reachable = workerUser === null || reachableBy(paths.root, workerUser);
  return join(reachable ? paths.root : dirname(paths.decisionSocket), 'tmp');
}

/** This user can enter every directory of the path. */
export function reachableBy(path: string, user: WorkerUser): boolean {
  for (let current = path; ; current = dirname(current)) {
    const stats = statSync(current);
    const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
    if (((stats.mode >> shift) & 1) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
