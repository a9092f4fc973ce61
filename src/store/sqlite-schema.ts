// Creates the tables in a new SQLite file.
import { type Kysely, sql } from 'kysely';
import { assertNotNewer, STATE_VERSION } from '../config/state-version.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';
import { SCHEMA } from './tables.ts';

/** In one transaction. Throws `state-newer` for a store that a later Lictor has written. */
export async function createSqliteTables(database: Database): Promise<void> {
  await database.durably(async (transaction) => {
    const version = await versionOf(transaction);
    assertNotNewer('The store', version);
    if (version > 0) return;
    for (const statement of [...SCHEMA, `pragma user_version = ${STATE_VERSION}`]) await sql.raw(statement).execute(transaction);
  });
}

/** 0: the file is new. */
async function versionOf(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ readonly user_version: number }>`pragma user_version`.execute(db);
  return rows[0]?.user_version ?? 0;
}
