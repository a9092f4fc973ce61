// Memory and descriptors of a process over time, from /proc.
import { readdirSync, readFileSync } from 'node:fs';

export interface Sample {
  readonly minutes: number;
  readonly mebibytes: number;
}

export interface ProcessWatch {
  readonly samples: readonly Sample[];
  look(): void;
}

/** `nowMs`: a clock that only goes forward. */
export function watchProcess(pid: number, nowMs: () => number): ProcessWatch {
  const startedMs = nowMs();
  const samples: Sample[] = [];
  return { samples, look: () => void samples.push({ minutes: (nowMs() - startedMs) / 60_000, mebibytes: residentMiB(pid) }) };
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/**
 * MiB a minute, of the least-squares line through the samples from `fromMinutes` on. NaN when there are fewer than two.
 */
export function slope(samples: readonly Sample[], fromMinutes: number): number {
  const used = samples.filter(({ minutes }) => minutes >= fromMinutes);
  const mean = (of: (sample: Sample) => number): number => used.reduce((sum, sample) => sum + of(sample), 0) / used.length;
  const [x, y] = [mean(({ minutes }) => minutes), mean(({ mebibytes }) => mebibytes)];
  const above = used.reduce((sum, sample) => sum + (sample.minutes - x) * (sample.mebibytes - y), 0);
  return above / used.reduce((sum, sample) => sum + (sample.minutes - x) ** 2, 0);
}

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}
