// What was committed without waiting for the disk, brought to it before anybody outside is told of it: a power failure takes nothing back that was shown.
//
// Only the log of SQLite is touched: closing the database itself would let go of the locks that this process has on it.
import { closeSync, fdatasyncSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isErrno } from '../../contract/errno.ts';
import { openIfThere } from './open-if-there.ts';

/** Call it after reading: what was read then is durable. What is no longer in the log was brought to the disk when it left it. Throws what the file system throws. */
export function bringToDisk(ledgerFile: string): void {
  const fd = openIfThere(logOf(ledgerFile));
  if (fd === undefined) return;
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same, for a thread that may not wait. */
export async function bringToDiskLater(ledgerFile: string): Promise<void> {
  try {
    await using file = await open(logOf(ledgerFile), 'r');
    await file.datasync();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function logOf(ledgerFile: string): string {
  return `${ledgerFile}-wal`;
}
