// Writes unsynced commits to the disk before they leave the machine, so that no power failure takes them back.
//
// Syncs only SQLite's WAL file: closing the database file itself would release this process's locks on it.
import { closeSync, fdatasyncSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isErrno } from '../../contract/errno.ts';
import { openIfThere } from './open-if-there.ts';

/** Call it after reading: then everything read is durable. Commits that left the WAL were synced then. Throws the file system's errors. */
export function bringToDisk(ledgerFile: string): void {
  const fd = openIfThere(logOf(ledgerFile));
  if (fd === undefined) return;
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same, without blocking the thread. */
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
