// Processes by /proc: state, group and command line.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { isErrno } from '../../../contract/errno.ts';

export interface ProcessInfo {
  readonly pid: number;
  /** The executable's short name, e.g. `nginx`. */
  readonly name: string;
  /** `Z`: a zombie. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** CPU time of all its threads, to 10 ms. */
  readonly cpuMs: number;
  /** Epoch milliseconds, to about a second. */
  readonly startedAtMs: number;
}

/** The kernel's USER_HZ: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Undefined: no such process. Linux only. */
export function processInfo(pid: number): ProcessInfo | undefined {
  return infoIn(pid, readProc(pid, 'stat'));
}

export interface WatchedProcess {
  /** Undefined: it has ended. */
  info(): ProcessInfo | undefined;
  close(): void;
}

/** Opens the kernel's file about a process once, so that a process that uses up all open files of the machine is still seen. */
export function watchProcess(pid: number): WatchedProcess {
  let file = openStat(pid);
  const bytes = Buffer.alloc(4096);
  return {
    info() {
      if (file === undefined) return processInfo(pid);
      try {
        return infoIn(pid, bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0)));
      } catch {
        return undefined; // The process has ended.
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function openStat(pid: number): number | undefined {
  try {
    return openSync(`/proc/${pid}/stat`, 'r');
  } catch {
    return undefined;
  }
}

function infoIn(pid: number, stat: string): ProcessInfo | undefined {
  // The name is in parentheses, and may contain some (proc(5)).
  const match = /^\d+ \((.*)\) (.+)$/s.exec(stat);
  if (match === null) return undefined;
  const [, name = '', rest = ''] = match;
  const fields = rest.split(' ');
  const number = (index: number) => Number(fields[index]);
  const startedAtMs = bootTimeMs() + (number(19) * 1000) / TICKS_PER_SECOND;
  const cpuMs = ((number(11) + number(12)) * 1000) / TICKS_PER_SECOND;
  return { pid, name, state: fields[0] ?? '', parent: number(1), group: number(2), cpuMs, startedAtMs };
}

/** True while the process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== undefined && info.state !== 'Z' && info.state !== 'X';
}

/** Live members of a process group, its leader included. */
export function groupMembers(group: number): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => processInfo(Number(entry)))
    .filter((info): info is ProcessInfo => info !== undefined && info.group === group && info.state !== 'Z');
}

/** Needs no open file, unless a member is left. A zombie counts as gone. */
export function isGroupGone(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return true;
    throw error;
  }
  return groupMembers(group).length === 0;
}

/** A group that has ended is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** A process that has ended is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

function bootTimeMs(): number {
  return Number(/^btime (\d+)$/m.exec(readProc('', 'stat'))?.[1] ?? 0) * 1000;
}

function readProc(pid: number | '', file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}
