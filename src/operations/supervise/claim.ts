// One supervisor for each state directory: the pid file is the claim.
import { linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { removeTree } from '../../config/held-directory.ts';
import { commandLine, readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { processInfo } from './processes/process-table.ts';

/** btime has whole seconds, and start times are relative to it. */
const START_TOLERANCE_MS = 2000;

/** Undefined: this process has the claim. A number: the process that has it. A stale claim is replaced. */
export async function claimStateDir(paths: Pick<StatePaths, 'supervisorPid' | 'holdSocket'>): Promise<number | undefined> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (createPidFile(paths.supervisorPid)) return undefined;
    const pid = readPid(paths.supervisorPid);
    if (await holdsClaim(pid, paths)) return pid;
    removeStale(paths.supervisorPid, pid);
  }
  return readPid(paths.supervisorPid);
}

/** For a process that has taken the place of the one with the claim. */
export function replaceClaim({ supervisorPid }: Pick<StatePaths, 'supervisorPid'>): void {
  const mine = `${supervisorPid}.${process.pid}`;
  writeFileSync(mine, `${process.pid}\n`, { mode: 0o644 });
  renameSync(mine, supervisorPid);
}

/**
 * Removes the runtime directory (sockets, and the decision cache with its credentials) and its link, if this process has the claim. Renames the directory
 * first, so that the claim ends in one step and a new supervisor's directory is not touched.
 */
export async function releaseStateDir(paths: Pick<StatePaths, 'supervisorPid' | 'run'>): Promise<void> {
  if (readPid(paths.supervisorPid) !== process.pid) return;
  const runtime = dirname(paths.supervisorPid);
  const leaving = `${runtime}.${process.pid}`;
  rmSync(paths.run, { force: true });
  renameSync(runtime, leaving);
  await removeTree(leaving);
}

/** Atomic: a half-written file would look like a stale claim. */
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

/** Removes the claim of `pid`. If another start has replaced it, puts that one back. */
function removeStale(file: string, pid: number | undefined): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if (readPid(aside) !== pid) linkSync(aside, file);
  } catch (error) {
    // Another start was faster: the next attempt finds its claim.
    if (!isErrno(error, 'ENOENT', 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Process ids are reused. So the process must be a Node that is older than the file, or answer on the socket. */
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
