// The nginx that a supervisor takes over with its listening sockets.
import { readlinkSync } from 'node:fs';
import { edgePid } from '../../config/pid-file.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';

/** Its process id. Throws `replace-refused`. */
export function runningEdge(paths: Pick<StatePaths, 'nginxPid' | 'root'>): number {
  const pid = edgePid(paths);
  if (pid === undefined) throw refused('its nginx does not run');
  // nginx cannot read the configuration of another version.
  if (programOf(pid).endsWith(' (deleted)')) throw refused('nginx was upgraded since its start, and only a restart starts the new nginx');
  return pid;
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return ''; // ended meanwhile, or not readable: nginx itself reports a configuration that it cannot read
  }
}

function refused(why: string): LictorError {
  return new LictorError('replace-refused', `The running lictor remains: ${why}. Stop it, then start lictor up.`);
}
