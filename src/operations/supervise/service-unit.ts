// The systemd service that a process belongs to. systemd kills what is left of a service whose main process has ended.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The service of that process, if this process is not in it. `read` gives the text of /proc/PID/cgroup (cgroups(7)). */
export function foreignService(pid: number, read: (pid: number | 'self') => string = cgroupOf): string | undefined {
  const theirs = pathOf(read(pid));
  return theirs.endsWith('.service') && theirs !== pathOf(read('self')) ? basename(theirs) : undefined;
}

/** With version 2 of cgroups, and of systemd's own hierarchy with version 1. */
function pathOf(text: string): string {
  return /^(?:0:|[0-9]+:name=systemd):(.*)$/m.exec(text)?.[1] ?? '';
}

function cgroupOf(pid: number | 'self'): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return ''; // ended meanwhile: the handover says so
  }
}
