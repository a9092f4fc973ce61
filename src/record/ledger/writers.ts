// Whether a process has a file open for writing. A renamed log is complete only when none has.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isErrno } from '../../contract/errno.ts';

/** `unknown`: there is no /proc, or nginx runs as another user (a container without CAP_SYS_PTRACE). */
export type Writers = 'none' | 'some' | 'unknown';

const WRITE_FLAGS = 0o3;

/** `path` is the real path. This process does not count: it only reads. */
export function writersOf(path: string): Writers {
  const pids = entries('/proc')?.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  if (pids === undefined) return 'unknown';
  let unknown = false;
  for (const pid of pids) {
    const descriptors = entries(`/proc/${pid}/fd`);
    if (descriptors === undefined) unknown ||= isNginx(pid);
    else if (descriptors.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === path && isForWriting(`/proc/${pid}/fdinfo/${fd}`))) return 'some';
  }
  return unknown ? 'unknown' : 'none';
}

function isNginx(pid: string): boolean {
  return textOf(`/proc/${pid}/comm`).startsWith('nginx');
}

function isForWriting(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(textOf(fdinfo))?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & WRITE_FLAGS) !== 0;
}

function entries(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch (error) {
    // An ended process has nothing open.
    return isErrno(error, 'ENOENT', 'ESRCH') && path !== '/proc' ? [] : undefined;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}
