// Opens ledger.db: owner-only file, WAL, schema and its migrations.
//
// node:sqlite directly and not Kysely: all of this runs in one thread whose hot path is one fixed INSERT of 40 columns at
// tens of thousands of rows a second, and every statement here is fixed text. Values are always bound, never spliced.
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../contract/error.ts';
import { adoptRecords } from './chain/adopt.ts';
import { addLaterColumns, COLUMN_SQL } from './columns.ts';
import { OUTBOX_TABLE } from './outbox.ts';
import { EVENT_TABLES, EVENT_TIME_INDEX } from './prefect-events/table.ts';

/** How long a writer waits for another process's transaction before it counts as a failed write. */
const BUSY_MS = 2_000;

const MIGRATIONS: readonly (string | ((db: DatabaseSync) => void))[] = [
  `CREATE TABLE records (n INTEGER PRIMARY KEY, ${COLUMN_SQL}) STRICT;
   CREATE UNIQUE INDEX records_id ON records (id);
   CREATE INDEX records_request ON records (request_id) WHERE request_id IS NOT NULL;
   CREATE UNIQUE INDEX records_seq ON records (node, seq);
   CREATE INDEX records_time ON records (time);
   CREATE INDEX records_principal ON records (principal, time);
   CREATE INDEX records_action ON records (action, time);
   CREATE INDEX records_flow_run ON records (flow_run_id, time) WHERE flow_run_id IS NOT NULL;
   CREATE INDEX records_deny ON records (time) WHERE decision = 'deny';
   CREATE TABLE intents (request_id TEXT PRIMARY KEY, source TEXT NOT NULL, session TEXT NOT NULL, record TEXT NOT NULL, line TEXT, since_ms INTEGER NOT NULL) STRICT;
   CREATE TABLE tails (file TEXT PRIMARY KEY, inode TEXT NOT NULL, position INTEGER NOT NULL, head BLOB NOT NULL) STRICT;
   CREATE TABLE edge_workers (pid INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL) STRICT;
   CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  `CREATE TABLE flood_singles (minute INTEGER, address TEXT, singles INTEGER NOT NULL, PRIMARY KEY (minute, address)) STRICT, WITHOUT ROWID;
   CREATE TABLE flood_counts (minute INTEGER, address TEXT, reason TEXT, decision TEXT NOT NULL, count INTEGER NOT NULL, first TEXT NOT NULL,
     last TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (minute, address, reason)) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL, signature TEXT NOT NULL) STRICT;
   CREATE TABLE checkpoints (number INTEGER PRIMARY KEY, text TEXT NOT NULL, signature TEXT NOT NULL) STRICT;`,
  adoptRecords,
  `CREATE INDEX IF NOT EXISTS records_resource ON records (resource_id, time) WHERE resource_id IS NOT flow_run_id;
   CREATE INDEX IF NOT EXISTS records_deployment ON records (deployment_id, time) WHERE deployment_id IS NOT NULL;
   CREATE INDEX IF NOT EXISTS records_reason ON records (reason, time) WHERE reason <> 'policy-permits';
   CREATE INDEX IF NOT EXISTS records_failed ON records (time) WHERE status >= 400;
   CREATE INDEX IF NOT EXISTS records_address ON records (source_ip, time) WHERE source_ip IS NOT NULL;`,
  EVENT_TABLES,
  OUTBOX_TABLE,
  EVENT_TIME_INDEX,
  addLaterColumns,
  addLaterColumns,
];

/** For writing. Creates the file with mode 0600 and brings the schema up to date. Throws what SQLite throws. */
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
  if (schemaVersion(db) === MIGRATIONS.length) return;
  transaction(db, () => {
    const version = schemaVersion(db);
    if (version > MIGRATIONS.length) throw new LictorError('ledger-newer', 'The ledger was written by a newer Lictor: upgrade this one.');
    for (const step of MIGRATIONS.slice(version)) {
      if (typeof step === 'string') db.exec(step);
      else step(db);
    }
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}
