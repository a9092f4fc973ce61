// One process at a time, by SQLite's lock on a file. The operating system releases it whenever its holder ends.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SourceError } from '../credential.ts';

/** A refresh takes a second. A longer hold means that the gateway hangs. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 25;
const SQLITE_BUSY = 5;

/** Runs `work` while no other process runs its work under the same file. Creates a missing file. Throws SourceError if it waits too long. */
export async function inTurn<T>(file: string, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const { DatabaseSync } = await import('node:sqlite');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    const until = performance.now() + patienceMs;
    while (!tryTake(() => database.exec('begin exclusive'))) {
      if (performance.now() > until) throw new SourceError('Another lictor command holds the credentials for too long. Try again.', { final: false });
      await wait(RETRY_MS);
    }
    return await work();
  } finally {
    // Nothing was written, so this only releases the lock.
    database.close();
  }
}

function tryTake(take: () => void): boolean {
  try {
    take();
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
