// Reads a pid file: the id of the process that it was written for, if that process still runs.
import { readFileSync } from 'node:fs';
import type { StatePaths } from './state-dir.ts';

/** The number in the file; undefined: no file or no number. `nginx -t` leaves an empty file, and 0 would mean the own process group. */
export function readPid(file: string): number | undefined {
  const text = read(file);
  return /^[1-9]\d*\n?$/.test(text) ? Number(text) : undefined;
}

/** The process that the file names, if `ours` accepts its command line: the system reuses numbers. */
export function readRunningPid(file: string, ours: (command: string) => boolean): number | undefined {
  const pid = readPid(file);
  return pid !== undefined && ours(commandLine(pid)) ? pid : undefined;
}

/** The running nginx of this state directory: its command line names the configuration. */
export function edgePid({ nginxPid, root }: Pick<StatePaths, 'nginxPid' | 'root'>): number | undefined {
  return readRunningPid(nginxPid, (command) => command.startsWith('nginx: master process') && command.includes(`${root}/`));
}

/** The arguments joined by spaces (a process may have rewritten them); empty: it has ended, or is a zombie. */
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
