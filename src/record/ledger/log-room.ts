// Whether nginx has room to write its lines: without it requests go by unseen, whatever the ledger itself could still write into the pages that it has.
import { statfsSync } from 'node:fs';

/** More than the lines of a busy second. */
const LEAST_BYTES = 1 << 20;
/** nginx leaves its log alone for the rest of a second in which it found no room (ngx_http_log_handler, `disk_full_time`). */
const AFTERWARDS_MS = 2_000;

export interface LogRoom {
  /** Looks. False: there is none, or has been none until a moment ago. */
  isThere(nowMs: number): boolean;
  /** When there was room for certain: lines may be missing since then. Undefined: never seen. */
  lastMs(): number | undefined;
}

export function createLogRoom(freeBytes: () => number): LogRoom {
  let lastMs: number | undefined;
  let missingMs: number | undefined;
  return {
    isThere(nowMs) {
      if (freeBytes() < LEAST_BYTES) {
        missingMs = nowMs;
        return false;
      }
      // A clock that went back makes nobody wait.
      if (missingMs !== undefined && nowMs >= missingMs && nowMs - missingMs < AFTERWARDS_MS) return false;
      missingMs = undefined;
      lastMs = nowMs;
      return true;
    },
    lastMs: () => lastMs,
  };
}

/** What nginx's workers may still write into this directory. A file system that does not say its size, or cannot be asked, is taken to have room. */
export function freeBytesIn(directory: string): number {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory);
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY; // no directory yet: nginx says that it cannot write
  }
}
