// A little of the disk, kept for the moment when it is full: SQLite needs room before it reads anything, and without the store nobody is known.
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';

const RESERVE_BYTES = 1 << 20;
const PIECE = Buffer.alloc(64 << 10);

/** Brings it to its size; on a full disk it is as large as there is room. Never throws: without it everything works as long as the disk is not full. */
export function fillReserve(file: string): void {
  let size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= RESERVE_BYTES) return;
  try {
    const handle = openSync(file, 'a', 0o600);
    try {
      for (; size < RESERVE_BYTES; size += PIECE.length) writeSync(handle, PIECE);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Full: what fits is kept.
  }
}

/** Does it again with the reserve's room when it fails, and takes back then what is left of it. Throws what `open` throws. */
export async function withReserve<T>(file: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) throw error;
    rmSync(file, { force: true });
    return await open();
  } finally {
    fillReserve(file);
  }
}
