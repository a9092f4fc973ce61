// What the machine, or its container, gives the processes of a gateway, and the bounds that Lictor derives from it.
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface Machine {
  /** For each process. */
  readonly openFiles: number;
  readonly memoryBytes: number;
  readonly processors: number;
}

/** The process must have the limits of the gateway: its own, or that of its supervisor. */
export function readMachine(pid: number | 'self' = 'self'): Machine {
  return {
    openFiles: openFilesLimit(read(`/proc/${pid}/limits`)),
    memoryBytes: Math.min(totalmem(), memoryLimit(read(`/proc/${pid}/cgroup`))),
    processors: availableParallelism(),
  };
}

const MOST_OPEN_FILES = 65_536;

/** The hard limit, which Node and nginx raise theirs to, from the text of `/proc/PID/limits`. */
export function openFilesLimit(limits: string): number {
  const number = Number(/^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1]);
  return Number.isInteger(number) && number > 0 ? Math.min(number, MOST_OPEN_FILES) : MOST_OPEN_FILES;
}

/** Of cgroup v2, from the text of `/proc/PID/cgroup`: the smallest limit of the group and those above it. Infinity: there is none. */
export function memoryLimit(cgroup: string, limitOf = readLimit): number {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (path === undefined) return Number.POSITIVE_INFINITY;
  const limits: number[] = [];
  for (let group = path; ; group = dirname(group)) {
    limits.push(limitOf(group));
    if (group === '/') return Math.min(...limits);
  }
}

function readLimit(group: string): number {
  const text = read(join('/sys/fs/cgroup', group, 'memory.max')).trim();
  return /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

export interface Bounds {
  /** Sockets in the relay: each takes two files. */
  readonly sockets: number;
  /** Calls in the service proxy: each takes two files. */
  readonly serviceCalls: number;
  /** Upgrades that the supervisor holds while the control plane is away. */
  readonly heldUpgrades: number;
  /** Connections of each nginx worker. */
  readonly edgeConnections: number;
  /** Large bodies in work at once. A body takes about six times its bytes. */
  readonly bodyBytes: number;
}

const MIB = 1024 * 1024;

/** An eighth of the files of the control plane, and half of those of the supervisor, stay free: for decisions, databases, and the start of children. */
export function boundsOf({ openFiles, memoryBytes }: Pick<Machine, 'openFiles' | 'memoryBytes'>): Bounds {
  return {
    sockets: Math.floor((openFiles * 3) / 16),
    serviceCalls: Math.floor(openFiles / 4),
    heldUpgrades: Math.min(2000, Math.floor(openFiles / 2)),
    edgeConnections: Math.min(16_384, Math.floor(openFiles / 2)),
    // The largest body that nginx accepts has 16 MiB.
    bodyBytes: Math.min(Math.max(memoryBytes / 64, 16 * MIB), 64 * MIB),
  };
}

/** The heap of a thread for rare, large work: at most a quarter of the memory. */
export function heapMib(most: number, { memoryBytes }: Pick<Machine, 'memoryBytes'> = readMachine()): number {
  return Math.min(most, Math.max(64, Math.floor(memoryBytes / 4 / MIB)));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // The process has ended, or this kernel has no such file.
  }
}
