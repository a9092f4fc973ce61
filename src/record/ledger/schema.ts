// The tables of the ledger, and the layouts that this Lictor reads and writes.
import type { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../../contract/error.ts';
import { COLUMN_SQL } from './columns.ts';
import { OUTBOX_TABLE } from './outbox.ts';
import { EVENT_TABLES } from './prefect-events/table.ts';

/** The tables of the first release. Never edit them after it: add to `MIGRATIONS`. */
const FIRST_SCHEMA = `
  CREATE TABLE records (n INTEGER PRIMARY KEY, ${COLUMN_SQL}) STRICT;
  CREATE UNIQUE INDEX records_id ON records (id);
  CREATE INDEX records_request ON records (request_id) WHERE request_id IS NOT NULL;
  CREATE UNIQUE INDEX records_seq ON records (node, seq);
  CREATE INDEX records_time ON records (time);
  CREATE INDEX records_principal ON records (principal, time);
  CREATE INDEX records_action ON records (action, time);
  CREATE INDEX records_flow_run ON records (flow_run_id, time) WHERE flow_run_id IS NOT NULL;
  CREATE INDEX records_deny ON records (time) WHERE decision = 'deny';
  CREATE INDEX records_resource ON records (resource_id, time) WHERE resource_id IS NOT flow_run_id;
  CREATE INDEX records_deployment ON records (deployment_id, time) WHERE deployment_id IS NOT NULL;
  CREATE INDEX records_reason ON records (reason, time) WHERE reason <> 'policy-permits';
  CREATE INDEX records_failed ON records (time) WHERE status >= 400;
  CREATE INDEX records_address ON records (source_ip, time) WHERE source_ip IS NOT NULL;
  CREATE TABLE intents (request_id TEXT PRIMARY KEY, source TEXT NOT NULL, session TEXT NOT NULL, record TEXT NOT NULL, line TEXT, since_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE tails (file TEXT PRIMARY KEY, inode TEXT NOT NULL, position INTEGER NOT NULL, head BLOB NOT NULL) STRICT;
  CREATE TABLE edge_workers (pid INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE flood_singles (minute INTEGER, address TEXT, singles INTEGER NOT NULL, PRIMARY KEY (minute, address)) STRICT, WITHOUT ROWID;
  CREATE TABLE flood_counts (minute INTEGER, address TEXT, reason TEXT, decision TEXT NOT NULL, count INTEGER NOT NULL, first TEXT NOT NULL,
    last TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (minute, address, reason)) STRICT, WITHOUT ROWID;
  CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL, signature TEXT NOT NULL) STRICT;
  CREATE TABLE checkpoints (number INTEGER PRIMARY KEY, text TEXT NOT NULL, signature TEXT NOT NULL) STRICT;
  ${EVENT_TABLES}
  ${OUTBOX_TABLE}`;

/** The version that `FIRST_SCHEMA` creates. No release has written a lower one. */
const FIRST_SCHEMA_VERSION = 10;

/** The first entry leads from `FIRST_SCHEMA_VERSION` to the next version. Never edit a released entry. */
const MIGRATIONS: readonly string[] = [];

const SCHEMA_VERSION = FIRST_SCHEMA_VERSION + MIGRATIONS.length;

/** For a writer, in its transaction. Throws `ledger-newer` or `ledger-older`. */
export function bringUpToDate(db: DatabaseSync): void {
  if (schemaVersion(db) === 0) db.exec(`${FIRST_SCHEMA}; PRAGMA user_version = ${FIRST_SCHEMA_VERSION}`);
  const version = schemaVersion(db);
  assertReadable(version);
  for (const statement of MIGRATIONS.slice(version - FIRST_SCHEMA_VERSION)) db.exec(statement);
  if (version < SCHEMA_VERSION) db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

export function isUpToDate(db: DatabaseSync): boolean {
  return schemaVersion(db) === SCHEMA_VERSION;
}

/** 0: an empty file. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

/** Throws `ledger-newer` or `ledger-older`, each with the remedy. */
export function assertReadable(version: number): void {
  if (version > SCHEMA_VERSION) throw new LictorError('ledger-newer', 'The ledger was written by a newer Lictor: upgrade this one.');
  if (version >= FIRST_SCHEMA_VERSION) return;
  throw new LictorError(
    'ledger-older',
    `The ledger has schema version ${version}, from before the first release, and this Lictor cannot read it: move the state directory away and start again. The old directory is still evidence.`,
  );
}
