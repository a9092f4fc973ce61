// What all processes of a node use: CPU time, memory and descriptors, from /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { isAlive, processInfo } from '../../../src/operations/supervise/processes/process-table.ts';
import { descendantsOf } from '../../env/process.ts';

export const PARTS = ['supervisor', 'control plane', 'nginx'] as const;
export type Part = (typeof PARTS)[number];

export interface Use {
  readonly cpuMs: number;
  /** Shared pages are divided among the processes that share them. */
  readonly mebibytes: number;
  readonly descriptors: number;
}

export type NodeUse = Readonly<Record<Part, Use>>;

/** Of `lictor up` and its processes. */
export function useOf(supervisor: number): NodeUse {
  const processes = [supervisor, ...descendantsOf(supervisor)].filter(isAlive);
  const part = (pid: number): Part => (pid === supervisor ? 'supervisor' : processInfo(pid)?.name === 'nginx' ? 'nginx' : 'control plane');
  const uses = processes.map((pid) => ({
    part: part(pid),
    cpuMs: cpuMs(pid),
    mebibytes: proportionalMiB(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  }));
  const of = (name: Part): Use => total(uses.filter((use) => use.part === name));
  return { supervisor: of('supervisor'), 'control plane': of('control plane'), nginx: of('nginx') };
}

export function total(uses: readonly Use[]): Use {
  const sum = (what: keyof Use): number => uses.reduce((all, use) => all + use[what], 0);
  return { cpuMs: sum('cpuMs'), mebibytes: sum('mebibytes'), descriptors: sum('descriptors') };
}

/** With all its threads. */
export function cpuMs(pid: number): number {
  return processInfo(pid)?.cpuMs ?? 0;
}

function proportionalMiB(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
}
