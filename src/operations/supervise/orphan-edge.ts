// Ends an nginx of this state directory that outlived its supervisor: it still holds the ports.
import { rmSync } from 'node:fs';
import { edgePid, readPid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { groupMembers, isAlive, signalProcess } from './processes/process-table.ts';
import { endGroup } from './processes/start-process.ts';
import { waitFor } from './processes/wait-for.ts';

const GRACE_MS = 3000;

/** Ends only a master whose command line names this state directory, or the rest of its group. */
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
 * The master is dead, and its workers still share its group. Their command lines name no directory. The kernel does not reuse the number of a group with
 * members.
 */
function isOrphanedGroup(pid: number, members: readonly { readonly pid: number; readonly name: string }[]): boolean {
  return !isAlive(pid) && members.length > 0 && members.every((member) => member.name === 'nginx');
}

/** An nginx without a supervisor leads no group. Its master ends its workers. */
async function endMaster(pid: number): Promise<void> {
  signalProcess(pid, 'SIGTERM');
  await waitFor(() => !isAlive(pid), { what: `nginx ${pid} to end`, timeoutMs: GRACE_MS }).catch(() => signalProcess(pid, 'SIGKILL'));
}
