// Where nginx's workers put large request bodies: on disk where they can reach it.
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../../config/state-dir.ts';
import type { WorkerUser } from '../../config/worker-user.ts';

/**
 * `STATE/tmp`, unless a parent of the state directory is closed to the worker user (`/root`): then bodies larger than the
 * buffer would be lost, silently for stock clients, so the runtime directory takes them. nginx makes the directories in it, and
 * as root gives each to its workers, by name and through links, at every start, reload and test: so this one is never theirs, and they only pass.
 */
export function prepareTempDir(paths: StatePaths, workerUser: WorkerUser | null): string {
  const dir = tempDirAt(paths, workerUser);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (workerUser !== null) chownSync(dir, process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
  chmodSync(dir, workerUser === null ? 0o700 : 0o711);
  removeOthers(dir);
  return dir;
}

/** It was the workers' once: nothing but directories is nginx's. */
function removeOthers(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) if (!entry.isDirectory()) rmSync(join(dir, entry.name), { force: true });
}

export function tempDirAt(paths: StatePaths, workerUser: WorkerUser | null): string {
  const reachable = workerUser === null || reachableBy(paths.root, workerUser);
  return join(reachable ? paths.root : dirname(paths.decisionSocket), 'tmp');
}

/** Every directory from the root down lets this user pass through. */
export function reachableBy(path: string, user: WorkerUser): boolean {
  for (let current = path; ; current = dirname(current)) {
    const stats = statSync(current);
    const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
    if (((stats.mode >> shift) & 1) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
