// The tables of the ledger, and the layouts that this Lictor reads and writes.
import type { DatabaseSync } from 'node:sqlite';
import { assertNotNewer, STATE_VERSION } from '../../config/state-version.ts';
import { COLUMN_SQL } from './columns.ts';
import { OUTBOX_TABLE } from './outbox.ts';
import { EVENT_TABLES } from './prefect-events/table.ts';

const SCHEMA = `
  CREATE TABLE records (n INTEGER PRIMARY KEY, ${COLUMN_SQL}) STRICT;
  CREATE UNIQUE INDEX records_id ON records (id);
  CREATE INDEX records_request ON records (request_id) WHERE request_id IS NOT NULL;
  CREATE UNIQUE INDEX records_seq ON records (node, seq);
  CREATE INDEX records_time ON records (time);
  CREATE INDEX records_principal ON records (principal, time);
  CREATE INDEX records_action ON records (action, time);
  CREATE INDEX records_flow_run ON records (flow_run_id, time) WHERE flow_run_id IS NOT NULL;
  CREATE INDEX records_cancel ON records (flow_run_id, time) WHERE action = 'flow_runs.cancel';
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

/** Their positions and process ids are of one machine. */
const OF_MACHINE = ['tails', 'edge_workers'];

/** The tables of a backup. The first one has the numbers of `notable` that are used up. */
export const COPIED_TABLES: readonly string[] = [
  'sqlite_sequence',
  ...[...SCHEMA.matchAll(/CREATE TABLE (\w+)/g)].map(([, name = '']) => name).filter((name) => !OF_MACHINE.includes(name)),
];

/** For a writer, in its transaction. */
export function createTables(db: DatabaseSync): void {
  if (versionOf(db) === 0) db.exec(`${SCHEMA}; PRAGMA user_version = ${STATE_VERSION}`);
}

/** 0: the file is new. Throws `state-newer`. */
export function versionOf(db: DatabaseSync): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  assertNotNewer('The ledger', version);
  return version;
}
