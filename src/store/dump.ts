// The whole store for a backup, and a new store from one.
import { DatabaseSync } from 'node:sqlite';
import { type Epoch, type LaterStore, type Restored, raiseEpoch } from './restores.ts';
import { STORE_TABLES } from './schema.ts';
import { openSqlite } from './sqlite.ts';
import { createRowWriter, readRows, type TableRows } from './sqlite-rows.ts';
import { createSqliteTables } from './sqlite-schema.ts';

export interface StoreDump extends Disposable {
  rows(): Iterable<TableRows>;
}

/** A snapshot of the store at this moment, while other processes change it. */
export function openStoreDump(file: string): StoreDump {
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

const SECRETS = `SELECT hash AS value FROM token_secrets JOIN tokens ON tokens.id = token_id
  WHERE revoked_ms IS NULL AND held_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)`;
const PASSWORDS = 'SELECT password AS value FROM accounts WHERE removed_ms IS NULL AND held_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)';

/** Reads the store that a restore replaces. */
export function readLaterStore(file: string, nowMs: number): LaterStore {
  using db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  const values = (text: string): ReadonlySet<string> =>
    new Set(
      db
        .prepare(text)
        .all(nowMs)
        .map(({ value }) => String(value)),
    );
  return { secrets: values(SECRETS), passwords: values(PASSWORDS), locks: [...readRows(db, ['locks'])] };
}
