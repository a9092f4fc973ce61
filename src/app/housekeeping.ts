// Housekeeping over months: rotates the control plane's log, and warns when the disk gets full.
import { renameSync, statfsSync, statSync } from 'node:fs';
import type { StatePaths } from '../config/state-dir.ts';
import type { NewRecord } from '../contract/record.ts';

const CONTROL_LOG_BYTES = 16 << 20;
const GIBIBYTE = 1 << 30;
/** Below one of them, Lictor warns. */
const LEAST_FREE = { bytes: GIBIBYTE, share: 0.1 };

/** Renames the log to `.1` when it is large; `reopen` makes its writer open the new one. */
export function rotateControlLog(file: string, reopen: () => void, maxBytes = CONTROL_LOG_BYTES): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && stats.size < maxBytes) return;
  if (stats !== undefined) renameSync(file, `${file}.1`);
  reopen();
}

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The free space for this user, and the size of the file system. */
export function spaceAt(path: string): Space {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export interface DiskWatchParts {
  readonly paths: Pick<StatePaths, 'root' | 'ledgerFile'>;
  readonly space: () => Space;
  readonly now: () => number;
  /** For the log and the terminal. */
  readonly warn: (text: string) => void;
  readonly record: (record: NewRecord) => Promise<void>;
}

/** Each call checks once. Warns when space gets low, and again only after there was enough. */
export function createDiskWatch({ paths, space, now, warn, record }: DiskWatchParts): () => Promise<void> {
  let low = false;
  return async () => {
    const { freeBytes, totalBytes } = space();
    const isLow = freeBytes < LEAST_FREE.bytes || freeBytes < totalBytes * LEAST_FREE.share;
    if (isLow === low) return;
    low = isLow;
    if (!isLow) return;
    const ledger = statSync(paths.ledgerFile, { throwIfNoEntry: false })?.size ?? 0;
    warn(
      `${inGibibytes(freeBytes)} of ${inGibibytes(totalBytes)} GiB are free below ${paths.root} (the ledger has ${inGibibytes(ledger)}): free some, or move the state directory to a larger disk. When it is full, changes are refused.`,
    );
    await record({
      time: new Date(now()).toISOString(),
      principal: 'system',
      action: 'gateway.disk_low',
      reason: 'disk-space-low',
      resource_type: 'StateDirectory',
      resource_id: paths.root,
      bytes: freeBytes,
    });
  };
}

function inGibibytes(bytes: number): string {
  return (bytes / GIBIBYTE).toFixed(1);
}
