// Throws away every cached decision by renaming the cache's top-level directories: nginx asks again, without a reload.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * A worker may write an answer that was computed before the change just after one sweep, so it is repeated:
 * at once, and 5, 50 and 500 ms later (one unlink alone left 24 of 200 races open, four left none).
 */
const ROUNDS_MS = [0, 5, 50, 500] as const;

/** Resolves when nothing decided before the call can be answered from the cache any more. `cacheDir`: nginx's `proxy_cache_path`. */
export async function sweepDecisions(cacheDir: string): Promise<void> {
  let elapsedMs = 0;
  for (const atMs of ROUNDS_MS) {
    if (atMs > elapsedMs) await wait(atMs - elapsedMs);
    elapsedMs = atMs;
    await sweepOnce(cacheDir);
  }
}

/** One round: enough before anything listens. A cache that is not there yet is an empty one. */
export async function sweepOnce(cacheDir: string): Promise<void> {
  const entries = await readdir(cacheDir).catch(absentIsEmpty);
  if (entries.length === 0) return;
  // Of this round alone: the command line and the control plane sweep at the same time, and one must not take the other's away.
  const round = `${cacheDir}${SWEPT}${process.pid}-${randomUUID()}`;
  await mkdir(round, { mode: 0o700 });
  await Promise.all(entries.map((entry) => rename(join(cacheDir, entry), join(round, entry)).catch(ignoreAbsent)));
  // A worker may just be writing there: then it is not empty at first.
  await rm(round, { recursive: true, force: true, maxRetries: 3 });
}

/** What killed processes were about to remove: it holds credentials. */
export async function removeLeftBehind(cacheDir: string): Promise<void> {
  const prefix = `${basename(cacheDir)}${SWEPT}`;
  const siblings = await readdir(dirname(cacheDir)).catch(absentIsEmpty);
  const left = siblings.filter((name) => name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10)));
  await Promise.all(left.map((name) => rm(join(dirname(cacheDir), name), { recursive: true, force: true })));
}

const SWEPT = '.swept-';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** Another sweep, or nginx's own cache manager, was quicker. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
