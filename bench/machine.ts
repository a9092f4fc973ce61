// The machine that the figures belong to.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { Machine } from './result.ts';

export function describeMachine(nginx: string): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${/^PRETTY_NAME="(.*)"$/m.exec(osRelease())?.[1] ?? 'Linux'}, kernel ${release()}`,
    node: process.version,
    nginx,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return ''; // It is only a name in a report.
  }
}
