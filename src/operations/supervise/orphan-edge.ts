// Ends an nginx of the same state directory that outlived its supervisor: it still holds the ports.
import { rmSync } from 'node:fs';
import { edgePid, readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { groupMembers, isAlive, signalProcess } from './processes/process-table.ts';
import { endGroup } from './processes/start-process.ts';
import { waitFor } from './processes/wait-for.ts';

const GRACE_MS = 3000;

/** Touches only what is certainly ours: a master whose command line names this state directory, or what is left of its group. */
export async function endOrphanEdge(paths: Pick<StatePaths, 'nginxPid' | 'root'>, log: (line: string) => void): Promise<void> {
  const pid = readPid(paths.nginxPid);
  if (pid === undefined || pid === 1) return;
  const members = groupMembers(pid);
  if (edgePid(paths) === pid || isOrphanedGroup(pid, members)) {
    log(`ending nginx ${pid}, left behind by an earlier start`);
    if (members.length > 0) await endGroup(pid, GRACE_MS);
    else await endMaster(pid);
  }
  rmSync(paths.nginxPid, { force: true });
}

/**
 * The master is dead, its workers (whose command lines name nothing) still share its group. A number cannot have been
 * given to another group meanwhile: the kernel does not reuse one that has members.
 */
function isOrphanedGroup(pid: number, members: readonly { readonly pid: number; readonly name: string }[]): boolean {
  return !isAlive(pid) && members.length > 0 && members.every((member) => member.name === 'nginx');
}

/** One that was not started by a supervisor leads no group of its own: its master ends its workers. */
async function endMaster(pid: number): Promise<void> {
  signalProcess(pid, 'SIGTERM');
  await waitFor(() => !isAlive(pid), { what: `nginx ${pid} to end`, timeoutMs: GRACE_MS }).catch(() => signalProcess(pid, 'SIGKILL'));
}
