// Opens ledger.db: owner-only file, WAL, schema up to date.
//
// node:sqlite directly and not Kysely: all of this runs in one thread whose hot path is one fixed INSERT of 40 columns at
// tens of thousands of rows a second, and every statement here is fixed text. Values are always bound, never spliced.
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { bringUpToDate, isUpToDate } from './schema.ts';

/** How long a writer waits for another process's transaction before it counts as a failed write. */
const BUSY_MS = 2_000;

/** For writing. Creates the file with mode 0600 and brings the schema up to date. Throws what SQLite throws, `ledger-newer` and `ledger-older`. */
export function openLedgerDatabase(file: string): DatabaseSync {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;');
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** All or nothing, as the only writer: BEGIN IMMEDIATE, so that the sequence read inside is still the last one at COMMIT. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * No waiting for the disk: for what is read from a log, which can be read again, and for outcomes, whose intent is on the disk. It outlives every
 * death of this process. What a power failure takes away is the last of these commits, each whole, with its position in the log; the next
 * `transaction` makes all of them durable.
 */
export function unsyncedTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}

function migrate(db: DatabaseSync): void {
  if (!isUpToDate(db)) transaction(db, () => bringUpToDate(db));
}
