// Invalidates every cached decision, also in files that nginx has open. nginx then asks again, without a reload.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { removeTree } from '../../config/held-directory.ts';
import { isErrno } from '../../contract/errno.ts';
import { settleAll } from '../../contract/settle.ts';
import { invalidate } from './invalidate.ts';

/**
 * Just after a sweep, an nginx worker may write an answer from before the change. So Lictor sweeps at once, and 5, 50 and 500 ms later. (One
 * round lost 24 of 200 races, four rounds none.)
 */
const ROUNDS_MS = [0, 5, 50, 500] as const;

/** Resolves after so many milliseconds. */
export type Pause = (ms: number) => Promise<unknown>;

/**
 * Resolves when nginx no longer answers from decisions before the call. `cacheDir`: nginx's `proxy_cache_path`. Rejects after all rounds when a
 * round failed: a decision that Lictor could not invalidate then lives for one more second (nginx/decision.conf).
 */
export async function sweepDecisions(cacheDir: string, pause: Pause = wait): Promise<void> {
  const failures: unknown[] = [];
  let elapsedMs = 0;
  for (const atMs of ROUNDS_MS) {
    if (atMs > elapsedMs) await pause(atMs - elapsedMs);
    elapsedMs = atMs;
    await sweepOnce(cacheDir).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** One round, which suffices before nginx listens. A missing cache counts as empty. */
export async function sweepOnce(cacheDir: string): Promise<void> {
  // A separate directory for each round, since the command line and the control plane may sweep at the same time.
  const round = `${cacheDir}${SWEPT}${process.pid}-${randomUUID()}`;
  const entries = await readdir(cacheDir).catch(absentIsEmpty);
  if (entries.length > 0) await mkdir(round, { mode: 0o700 });
  const moving = entries.map((entry) => rename(join(cacheDir, entry), join(round, entry)).catch(ignoreAbsent));
  try {
    // Invalidates what was moved, even when some of it could not be moved.
    await settleAll(moving).finally(() => invalidateAll(cacheDir));
  } finally {
    await removeTree(round);
  }
}

/** Removes directories of killed processes, which contain credentials. Resolves to paths of another user (a command of root), which it cannot remove. */
export async function removeLeftBehind(cacheDir: string, remove: (path: string) => Promise<void> = invalidateAndRemove): Promise<readonly string[]> {
  const left = (await sweptOf(cacheDir)).filter(({ pid }) => !isAlive(pid)).map(({ path }) => path);
  const foreign: string[] = [];
  for (const path of left) {
    await remove(path).catch((error: NodeJS.ErrnoException) => {
      ignoreForeign(error);
      foreign.push(path);
    });
  }
  return foreign;
}

async function invalidateAndRemove(path: string): Promise<void> {
  await invalidate(path);
  await removeTree(path);
}

/** Includes directories of other sweeps: a slow or killed sweep has moved files that this one no longer finds in the cache. */
async function invalidateAll(cacheDir: string): Promise<void> {
  await settleAll((await sweptOf(cacheDir)).map(({ path }) => invalidate(path).catch(ignoreForeign)));
}

async function sweptOf(cacheDir: string): Promise<readonly { readonly path: string; readonly pid: number }[]> {
  const prefix = `${basename(cacheDir)}${SWEPT}`;
  const siblings = await readdir(dirname(cacheDir)).catch(absentIsEmpty);
  const swept = siblings.filter((name) => name.startsWith(prefix));
  return swept.map((name) => ({ path: join(dirname(cacheDir), name), pid: Number.parseInt(name.slice(prefix.length), 10) }));
}

const SWEPT = '.swept-';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** A directory of another user's sweep, which invalidates it. */
function ignoreForeign(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EACCES') throw error;
}

/** Another sweep or nginx's cache manager has removed it. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
