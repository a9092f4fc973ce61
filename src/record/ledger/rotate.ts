// Log files by size: renamed to `.1`, which is kept until the next one is due. nginx then has to open its logs anew (USR1).
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
 * Renames `file` when it is large enough and the one before it is read to its end (the stored position is in `file` itself)
 * and no longer written to. True: nginx has to open its logs anew, now or because it has not done so yet.
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
