// What a pid file says: the id of a process that lives and is the one it was written for, or nothing.
import { readFileSync } from 'node:fs';
import type { StatePaths } from './state-dir.ts';

/** The number in the file; undefined: no file, or no number in it. `nginx -t` leaves an empty one, and 0 would mean our own process group. */
export function readPid(file: string): number | undefined {
  const text = read(file);
  return /^[1-9]\d*\n?$/.test(text) ? Number(text) : undefined;
}

/** The process that the file names, if its command line is `ours`: a number is given to another process in time. */
export function readRunningPid(file: string, ours: (command: string) => boolean): number | undefined {
  const pid = readPid(file);
  return pid !== undefined && ours(commandLine(pid)) ? pid : undefined;
}

/** The living nginx of this state directory: its command line names the configuration that it was started with. */
export function edgePid({ nginxPid, root }: Pick<StatePaths, 'nginxPid' | 'root'>): number | undefined {
  return readRunningPid(nginxPid, (command) => command.startsWith('nginx: master process') && command.includes(`${root}/`));
}

/** The arguments joined by spaces (a process may have rewritten them); empty when it is gone, or dead and not yet collected. */
export function commandLine(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // No file, no process.
  }
}
