// Renames a large log file to `.1`. nginx must then reopen its logs (USR1).
import { renameSync, statSync } from 'node:fs';
import type { Tail } from './tail.ts';
import { writersOf } from './writers.ts';

export interface RotateLimits {
  /** Size from which the access log is renamed. */
  readonly accessBytes: number;
  readonly errorBytes: number;
}

export const ROTATE_LIMITS: RotateLimits = { accessBytes: 64 << 20, errorBytes: 16 << 20 };

/**
 * Renames `file` when it is large enough, and `file.1` is read to its end and has no writer. True: nginx must reopen its logs, now or because it has not done
 * so yet.
 */
export function rotateLog(file: string, maxBytes: number, tail: Pick<Tail, 'stored' | 'behind'>): boolean {
  const position = tail.stored();
  if (position === null) return false;
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || tail.behind()) return true;
  if (String(stats.ino) !== position.inode || Number(stats.size) < maxBytes || writersOf(`${file}.1`) === 'some') return false;
  renameSync(file, `${file}.1`);
  return true;
}
