// Whether nginx has disk space for its log: without it, requests pass without a line, even if SQLite can still write to free pages.
import { statfsSync } from 'node:fs';

/** More than the lines of a busy second. */
const LEAST_BYTES = 1 << 20;
/** On a full disk, nginx writes no line for the rest of that second (ngx_http_log_handler, `disk_full_time`). */
const AFTERWARDS_MS = 2_000;

export interface LogSpace {
  /** Checks the space. False: none, or none until a moment ago. */
  isFree(nowMs: number): boolean;
  /** The last time with space. Lines may be missing since then. Undefined: never. */
  lastMs(): number | undefined;
}

export function createLogSpace(freeBytes: () => number): LogSpace {
  let lastMs: number | undefined;
  let missingMs: number | undefined;
  return {
    isFree(nowMs) {
      if (freeBytes() < LEAST_BYTES) {
        missingMs = nowMs;
        return false;
      }
      // A clock that went back does not extend the wait.
      if (missingMs !== undefined && nowMs >= missingMs && nowMs - missingMs < AFTERWARDS_MS) return false;
      missingMs = undefined;
      lastMs = nowMs;
      return true;
    },
    lastMs: () => lastMs,
  };
}

/** Free bytes for nginx's workers in this directory. Infinite for a file system that does not report its size. */
export function freeBytesIn(directory: string): number {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory);
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY; // There is no directory yet: nginx reports that.
  }
}
