// Throws away every cached decision, also those whose files nginx has open: it asks again, without a reload.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { removeTree } from '../../config/held-directory.ts';
import { isErrno } from '../../contract/errno.ts';
import { settleAll } from '../../contract/settle.ts';
import { invalidate } from './invalidate.ts';

/**
 * A worker may write an answer that was computed before the change just after one sweep, so it is repeated:
 * at once, and 5, 50 and 500 ms later (one unlink alone left 24 of 200 races open, four left none).
 */
const ROUNDS_MS = [0, 5, 50, 500] as const;

/** Resolves after so many milliseconds. */
export type Pause = (ms: number) => Promise<unknown>;

/**
 * Resolves when nothing decided before the call can be answered from the cache any more. `cacheDir`: nginx's `proxy_cache_path`.
 * Rejects when that may not be so, after every round was tried: what could not be made worthless lives for a second more (nginx/decision.conf).
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

/** One round: enough before anything listens. A cache that is not there yet is an empty one. */
export async function sweepOnce(cacheDir: string): Promise<void> {
  // Of this round alone: the command line and the control plane sweep at the same time, and one must not take the other's away.
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

/** Removes what killed processes left behind: it holds credentials. Resolves to paths of another user (a command run by root), which it must leave. */
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

/** The sweep of another user, who does it there. */
function ignoreForeign(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EACCES') throw error;
}

/** Another sweep, or nginx's own cache manager, was quicker. */
function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
