// The whole store for a backup, and a new store from one. A backup has the same rows, whether the store is SQLite or Postgres.
import { DatabaseSync } from 'node:sqlite';
import type { StoreAddress } from '../contract/store-address.ts';
import { GONE_AFTER_MS } from './nodes.ts';
import { VERSION_TABLE } from './postgres-versions.ts';
import { type Epoch, type LaterStore, NO_LATER_STORE, type Restored, raiseEpoch } from './restores.ts';
import { openRows, type RowReader } from './rows.ts';
import { openSqlite } from './sqlite.ts';
import { createRowWriter, readRows, type TableRows } from './sqlite-rows.ts';
import { createSqliteTables } from './sqlite-schema.ts';
import { STORE_TABLES } from './tables.ts';

export interface StoreDump extends Disposable {
  /** Of one moment. */
  rows(): Iterable<TableRows> | AsyncIterable<TableRows>;
}

/** A snapshot of the store, while other processes change it. */
export async function openStoreDump(at: StoreAddress): Promise<StoreDump> {
  if (typeof at === 'string') return openSqliteDump(at);
  const { readPostgresRows } = await import('./postgres-rows.ts');
  return { rows: () => readPostgresRows(at), [Symbol.dispose]: () => undefined };
}

interface SqliteDump extends StoreDump {
  rows(): Iterable<TableRows>;
}

export function openSqliteDump(file: string): SqliteDump {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  db.exec('BEGIN');
  // A transaction begins with its first read.
  db.prepare('SELECT 1 FROM sqlite_schema').get();
  return { rows: () => readRows(db, STORE_TABLES), [Symbol.dispose]: () => db.close() };
}

export interface NewStore {
  /** There is no such file yet. */
  readonly file: string;
  readonly restored: Restored;
}

/** Writes the rows of a backup into a new store, and raises its epoch. Throws the errors of SQLite for rows that do not fit. */
export async function loadStore({ file, restored }: NewStore, batches: AsyncIterable<TableRows>): Promise<Epoch> {
  const database = openSqlite(file);
  try {
    await createSqliteTables(database);
    await addRows(file, batches);
    return await database.durably((transaction) => raiseEpoch(transaction, restored));
  } finally {
    await database.close();
  }
}

async function addRows(file: string, batches: AsyncIterable<TableRows>): Promise<void> {
  using db = new DatabaseSync(file);
  db.exec('BEGIN IMMEDIATE');
  for (const table of STORE_TABLES) db.exec(`DELETE FROM "${table}"`);
  const write = createRowWriter(db, STORE_TABLES);
  for await (const rows of batches) write(rows);
  db.exec('COMMIT');
}

/** True if there is a store, and a change was made in it. */
export async function isStoreUsed(at: StoreAddress): Promise<boolean> {
  const USED = 'SELECT 1 AS used FROM change_number WHERE number > 1 UNION SELECT 1 FROM tokens UNION SELECT 1 FROM accounts';
  return (await withStore(at, (reader) => reader.all(USED), [])).length > 0;
}

/** Names of the live nodes of a Postgres store. */
export async function liveNodes(at: StoreAddress): Promise<readonly string[]> {
  if (typeof at === 'string') return [];
  const LIVE = 'SELECT name FROM nodes WHERE seen_ms > extract(epoch from now()) * 1000 - ? ORDER BY name';
  return (await withStore(at, (reader) => reader.all(LIVE, GONE_AFTER_MS), [])).map(({ name }) => String(name));
}

/** `otherwise`: no store was created there yet. */
async function withStore<T>(at: StoreAddress, read: (reader: RowReader) => Promise<T>, otherwise: T): Promise<T> {
  const reader = await openRows(at);
  if (reader === undefined) return otherwise;
  try {
    return (await hasTables(reader, at)) ? await read(reader) : otherwise;
  } finally {
    await reader.close();
  }
}

/** A new database of Postgres has no tables. */
async function hasTables(reader: RowReader, at: StoreAddress): Promise<boolean> {
  if (typeof at === 'string') return true;
  const [row] = await reader.all(`SELECT to_regclass('${VERSION_TABLE}') AS name`);
  return row?.['name'] != null;
}

const SECRETS = `SELECT hash AS value FROM token_secrets JOIN tokens ON tokens.id = token_id
  WHERE revoked_ms IS NULL AND held_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)`;
const PASSWORDS = 'SELECT password AS value FROM accounts WHERE removed_ms IS NULL AND held_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)';
const CHANGE_NUMBER = 'SELECT number FROM change_number';
const LOCKS = 'SELECT kind, value, of_accounts, why, locked_by, created_ms, expires_ms FROM locks';

/** Reads the store that a restore replaces. */
export async function readLaterStore(at: StoreAddress, nowMs: number): Promise<LaterStore> {
  const read = async (reader: RowReader): Promise<LaterStore> => {
    const values = async (text: string): Promise<ReadonlySet<string>> => new Set((await reader.all(text, nowMs)).map(({ value }) => String(value)));
    const [row] = await reader.all(CHANGE_NUMBER);
    const changeNumber = Number(row?.['number'] ?? 0);
    return { changeNumber, secrets: await values(SECRETS), passwords: await values(PASSWORDS), locks: await reader.all(LOCKS) };
  };
  return await withStore(at, read, NO_LATER_STORE);
}
