// Free space on the disk of the state directory and in the decision cache, and the limit of open files.
import { statfsSync } from 'node:fs';
import { fail, ok, type Verdict, warn } from '../finding.ts';

export interface FileSystem {
  /** The kernel's magic number. */
  readonly type: number;
  readonly freeBytes: number;
}

/** An argument, so that tests can replace it. */
export type Statfs = (path: string) => FileSystem;

const MIB = 1024 * 1024;
const TMPFS_MAGIC = 0x01021994;

export function statfs(path: string): FileSystem {
  const { type, bavail, bsize } = statfsSync(path);
  return { type, freeBytes: bavail * bsize };
}

/** The ledger and the access log grow here. When the disk is full, Lictor rejects changes. */
export function checkDisk(stateDir: string, look: Statfs): Verdict {
  const { freeBytes } = look(stateDir);
  const message = `${words(freeBytes)} free for ${stateDir}`;
  const remedy = 'Free some space, or move the state directory. Without space for the ledger, Lictor rejects changes.';
  if (freeBytes < 100 * MIB) return fail(`only ${message}`, remedy);
  return freeBytes < 1024 * MIB ? warn(`only ${message}`, remedy) : ok(message);
}

/** The cache holds bearer tokens for seconds, so it must be in memory, never on a disk. */
export function checkCacheSpace(cacheDir: string, look: Statfs): Verdict {
  const { type, freeBytes } = look(cacheDir);
  if (type !== TMPFS_MAGIC)
    return warn(
      `the decision cache ${cacheDir} is on a disk, not on tmpfs`,
      'It holds credentials for seconds: make /dev/shm, or XDG_RUNTIME_DIR, a tmpfs that this user can write to.',
    );
  const message = `${words(freeBytes)} free for the decision cache, on tmpfs`;
  const remedy = 'Free some space in /dev/shm. Without it, every request asks the control plane.';
  if (freeBytes < 8 * MIB) return fail(`only ${message}`, remedy);
  // A container has a /dev/shm of 64 MiB, which holds the decisions of 400 new clients or routes a second: each is a page for 40 s.
  return freeBytes < 32 * MIB ? warn(`only ${message}`, remedy) : ok(message);
}

/** From the text of /proc/PID/limits. A socket takes two descriptors, a request two. */
export function checkOpenFiles(limits: string): Verdict {
  const soft = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits);
  const number = Number(soft?.[2] ?? Number.NaN);
  if (Number.isNaN(number)) return ok('open files: no limit');
  const message = `${number} open files for each process`;
  return number < 4096
    ? warn(`only ${message}; a socket takes two, a request two`, 'ulimit -Hn 65536 before lictor up; with systemd: LimitNOFILE=65536.')
    : ok(message);
}

function words(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${(bytes / 1024 / MIB).toFixed(1)} GiB`;
  return `${(bytes / MIB).toFixed(bytes >= 10 * MIB ? 0 : 1)} MiB`;
}
