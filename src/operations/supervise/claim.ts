// One supervisor per state directory: the pid file is the claim.
import { linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { removeTree } from '../../config/held-directory.ts';
import { commandLine, readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { processInfo } from './processes/process-table.ts';

/** btime has whole seconds, and start times are counted from it. */
const START_TOLERANCE_MS = 2000;

/** Undefined: the claim is ours. A number: the process id of the one that holds it. A stale claim is replaced. */
export async function claimStateDir(paths: Pick<StatePaths, 'supervisorPid' | 'holdSocket'>): Promise<number | undefined> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (createPidFile(paths.supervisorPid)) return undefined;
    const pid = readPid(paths.supervisorPid);
    if (await holdsClaim(pid, paths)) return pid;
    removeStale(paths.supervisorPid, pid);
  }
  return readPid(paths.supervisorPid);
}

/**
 * Removes the runtime directory (sockets, and the decision cache, which holds credentials) and the link to it, if the claim is
 * still ours. Renamed first: the claim goes with it in one step, and what a next supervisor makes under the name is not touched.
 */
export async function releaseStateDir(paths: Pick<StatePaths, 'supervisorPid' | 'run'>): Promise<void> {
  if (readPid(paths.supervisorPid) !== process.pid) return;
  const runtime = dirname(paths.supervisorPid);
  const leaving = `${runtime}.${process.pid}`;
  rmSync(paths.run, { force: true });
  renameSync(runtime, leaving);
  await removeTree(leaving);
}

/** Whole or not at all: one that was not written yet would be taken for a stale one. */
function createPidFile(file: string): boolean {
  const mine = `${file}.${process.pid}`;
  try {
    writeFileSync(mine, `${process.pid}\n`, { mode: 0o644 });
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    if (isErrno(error, 'ENOENT'))
      throw new LictorError('runtime-dir-gone', 'Another lictor ended at this very moment and took the runtime directory along: start again.', {
        cause: error,
      });
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** The claim of `pid`, which was looked at; what another start has put in its place meanwhile is put back. */
function removeStale(file: string, pid: number | undefined): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if (readPid(aside) !== pid) linkSync(aside, file);
  } catch (error) {
    // Another start was quicker: the next look finds whose it is.
    if (!isErrno(error, 'ENOENT', 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** A number alone proves nothing (they are reused): it must be a Node that was there before the file, or a process must answer on the socket. */
async function holdsClaim(pid: number | undefined, paths: Pick<StatePaths, 'supervisorPid' | 'holdSocket'>): Promise<boolean> {
  if (pid === undefined || pid === process.pid || !/node|lictor/.test(commandLine(pid))) return false;
  const startedAtMs = processInfo(pid)?.startedAtMs ?? Number.POSITIVE_INFINITY;
  const writtenAtMs = statSync(paths.supervisorPid, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return startedAtMs <= writtenAtMs + START_TOLERANCE_MS || (await answers(paths.holdSocket));
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
