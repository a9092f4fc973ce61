// Opens ledger.db: owner-only file, WAL, current schema.
//
// Uses node:sqlite, not Kysely: the hot path is one fixed INSERT of 40 columns, tens of thousands of times a second. Every statement is fixed text, and every
// value is bound.
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createTables, versionOf } from './schema.ts';

/** How long a writer waits for another process's transaction. */
const BUSY_MS = 2_000;

/** Creates the file with mode 0600 and the tables. Throws the errors of SQLite and `state-newer`. */
export function openLedgerDatabase(file: string): DatabaseSync {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;');
    if (versionOf(db) === 0) transaction(db, () => createTables(db));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Atomic. BEGIN IMMEDIATE makes this the only writer, so that a number read inside is still the last one at COMMIT. */
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
 * Does not wait for the disk. For log lines, which can be read again, and for settles, whose intents are durable. Survives the death of the process. A power
 * failure may take back the last of these commits, each whole. The next `transaction` makes all of them durable.
 */
export function unsyncedTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}
