// What a running gateway has left: files of its file system, and descriptors of its processes.
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { ok, type Verdict } from '../finding.ts';
import { limitsOf } from '../inside/processes.ts';
import { fault } from './codes.ts';

export interface Inodes {
  readonly total: number;
  readonly free: number;
}

const FEWEST_INODES = 1_000;

/** A file system without a fixed number of inodes has a total of 0. */
export function checkInodes(stateDir: string, { total, free }: Inodes = inodesOf(stateDir)): Verdict {
  if (total > 0 && free < FEWEST_INODES) return fault('inodes-few', `only ${free} files more fit on the file system of ${stateDir}`);
  return ok(total === 0 ? `the file system of ${stateDir} has no limit of files` : `${free} files more fit on the file system of ${stateDir}`);
}

function inodesOf(path: string): Inodes {
  const { files, ffree } = statfsSync(path);
  return { total: files, free: ffree };
}

export interface Descriptors {
  readonly pid: number;
  readonly open: number;
  readonly limit: number;
}

const MOST_USED = 0.8;

export function checkDescriptors(processes: readonly Descriptors[]): readonly Verdict[] {
  const full = processes.filter(({ open, limit }) => open > limit * MOST_USED);
  if (full.length > 0) return full.map(({ pid, open, limit }) => fault('descriptors-used', `process ${pid} uses ${open} of its ${limit} descriptors`));
  return [ok(`${processes.length} processes use at most ${Math.max(0, ...processes.map(({ open }) => open))} descriptors each`)];
}

/** A process with its children, theirs too. Those that have ended, or are hidden, are left out. */
export function descriptorsOf(pid: number): readonly Descriptors[] {
  const children = childrenOf(pid).flatMap(descriptorsOf);
  try {
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limitsOf(pid))?.[1] ?? Number.POSITIVE_INFINITY);
    return [{ pid, limit, open: readdirSync(`/proc/${pid}/fd`).length }, ...children];
  } catch {
    return children;
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}
