// Free space on the disk of the state directory and in the decision cache, and the bounds by files and memory.
import { statfsSync } from 'node:fs';
import { boundsOf, type Machine } from '../../../config/machine.ts';
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

/** What the gateway derives from its machine or container. A socket takes two files, a call of a service two. */
export function checkBounds(machine: Machine): Verdict {
  const { sockets, serviceCalls, heldUpgrades, bodyBytes } = boundsOf(machine);
  const given = `${machine.openFiles} open files for each process, ${words(machine.memoryBytes)} of memory, ${machine.processors} processors`;
  const message = `${given}: at most ${sockets} sockets, ${serviceCalls} calls of services, ${heldUpgrades} upgrades that wait, ${words(bodyBytes)} of large bodies`;
  if (machine.openFiles < 4096) return warn(`only ${message}`, 'ulimit -Hn 65536 before lictor up; with systemd: LimitNOFILE=65536.');
  if (machine.memoryBytes < 512 * MIB) return warn(`only ${message}`, 'Give it 512 MiB or more: bodies get 503 before memory ends.');
  return ok(message);
}

function words(bytes: number): string {
  if (bytes >= 1024 * MIB) return `${(bytes / 1024 / MIB).toFixed(1)} GiB`;
  return `${(bytes / MIB).toFixed(bytes >= 10 * MIB ? 0 : 1)} MiB`;
}
