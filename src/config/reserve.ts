// Reserves disk space for a full disk: SQLite needs free space before it can read, and without the store Lictor authenticates no principal.
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';

const RESERVE_BYTES = 1 << 20;
const PIECE = Buffer.alloc(64 << 10);

/** Extends the file to its size, or as far as the disk has space. Never throws: Lictor needs the file only on a full disk. */
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
    // The disk is full: the file stays shorter.
  }
}

/** If `open` fails, frees the reserve, tries again, and refills the reserve. Throws the errors of `open`. */
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
