// Which process listens on a port of this machine: by the socket tables and open files of /proc.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** As text for a message: ` by "caddy" (process 411)`. */
export function portHolder(port: number, proc = '/proc'): string {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(join(proc, 'net', table), port)));
  if (sockets.size === 0) return '';
  const { found, hidden } = holderOf(sockets, proc);
  if (found !== undefined) return ` by ${JSON.stringify(basename(linkOf(join(proc, found, 'exe'))))} (process ${found})`;
  return hidden ? ' by a process of another user or container (as root: ss -ltnp)' : ' by a process of another container';
}

const LISTENING = '0A';

/** Columns of proc(5): local address, state, inode. */
function listeningInodes(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = textOf(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.filter(([, local = '', , state]) => local.endsWith(suffix) && state === LISTENING).map((row) => `socket:[${row[9]}]`);
}

/** `hidden`: open files of some process are not readable. */
function holderOf(sockets: ReadonlySet<string>, proc: string): { readonly found?: string; readonly hidden: boolean } {
  let hidden = false;
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    try {
      const directory = join(proc, pid, 'fd');
      if (readdirSync(directory).some((fd) => sockets.has(linkOf(join(directory, fd))))) return { found: pid, hidden };
    } catch (error) {
      hidden ||= error instanceof Error && 'code' in error && error.code === 'EACCES';
    }
  }
  return { hidden };
}

/** A file may be closed meanwhile. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** Empty: no such table. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
