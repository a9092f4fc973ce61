// Throws away every cached decision by renaming the cache's top-level directories: nginx asks again, without a reload.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
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
  const trash = `${cacheDir}.swept`;
  const round = join(trash, `${process.pid}-${process.hrtime.bigint()}`);
  await mkdir(round, { recursive: true, mode: 0o700 });
  await Promise.all(entries.map((entry) => rename(join(cacheDir, entry), join(round, entry)).catch(ignoreAbsent)));
  await rm(trash, { recursive: true, force: true }).catch(ignoreAbsent);
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** Another sweep, or nginx's own cache manager, was quicker. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
}
