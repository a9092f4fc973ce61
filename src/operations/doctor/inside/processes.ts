// The processes of a gateway: supervisor, control plane, nginx and its workers.
import { readFileSync } from 'node:fs';
import { commandLine, edgePid, readRunningPid } from '../../../config/pid-file.ts';
import type { StatePaths } from '../../../config/state-dir.ts';
import { fail, ok, type Verdict } from '../finding.ts';

type PidFiles = Pick<StatePaths, 'supervisorPid' | 'nginxPid' | 'root'>;

/** The supervisor of this state directory. Undefined: none runs. */
export function supervisorPid({ supervisorPid }: PidFiles): number | undefined {
  return readRunningPid(supervisorPid, (command) => /node|lictor/.test(command));
}

export function checkProcesses(paths: PidFiles): Verdict {
  const supervisor = supervisorPid(paths);
  if (supervisor === undefined) return notRunning();
  const control = childrenOf(supervisor).find((pid) => commandLine(pid).includes('control-plane'));
  if (control === undefined)
    return fail(`the supervisor (${supervisor}) runs, the control plane does not`, 'The supervisor restarts it: STATE/log/control.log says why it ends.');
  const nginx = edgePid(paths);
  if (nginx === undefined)
    return fail(
      `supervisor (${supervisor}) and control plane (${control}) run, nginx does not`,
      'The supervisor restarts it: STATE/log/edge-error.log says why it ends.',
    );
  return ok(`supervisor (${supervisor}), control plane (${control}) and nginx (${nginx}) run`);
}

export function notRunning(): Verdict {
  return fail(
    'the gateway does not run with this state directory: public-url and sockets cannot be checked',
    'Start it with lictor up, or give the --state-dir of the running gateway.',
  );
}

/** The limits of a process in /proc, or of this one if it has ended. */
export function limitsOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid ?? 'self'}/limits`, 'utf8');
  } catch {
    return readFileSync('/proc/self/limits', 'utf8');
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return []; // The process has ended.
  }
}
