// What the gateway's processes hold, from /proc.
import { readFileSync } from 'node:fs';
import { processInfo } from '../src/operations/supervise/processes/process-table.ts';
import type { ProcessMemory } from './result.ts';

/** Of a running `lictor up` by its supervisor's pid. */
export function measureMemory(supervisor: number): readonly ProcessMemory[] {
  const children = childrenOf(supervisor);
  const isNginx = (pid: number): boolean => processInfo(pid)?.name === 'nginx';
  const nginx = children.filter(isNginx).flatMap((master) => [master, ...childrenOf(master)]);
  const control = children.filter((pid) => !isNginx(pid));
  return [sum('supervisor', [supervisor]), sum('control plane', control), sum('nginx', nginx)];
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function sum(name: string, pids: readonly number[]): ProcessMemory {
  const total = (field: string): number => pids.reduce((kib, pid) => kib + kibibytes(pid, field), 0) / 1024;
  return { name, processes: pids.length, residentMiB: total('Rss'), proportionalMiB: total('Pss') };
}

function kibibytes(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
}
