// The tables of the store in Postgres: the statements of SQLite, with two differences.
import { type Kysely, sql } from 'kysely';
import { assertNotNewer, STATE_VERSION } from '../config/state-version.ts';
import { LictorError } from '../contract/error.ts';
import { SCHEMA } from './schema.ts';
import type { Tables } from './tables.ts';

/** The table with the version of the others. Transactions also take their turns by a lock on it. */
export const VERSION_TABLE = 'lictor_store';
/** Postgres says here that the change number has grown. A notice in every transaction would slow all of them down. */
export const CHANGE_CHANNEL = 'lictor_change';
/** Of the nodes that start at once, one creates the tables. The number is arbitrary; each database has separate locks. */
const CREATION_LOCK = 7_260_915;

/** Throws `state-newer`, `store-foreign`, or the errors of Postgres. */
export async function createPostgresTables(db: Kysely<Tables>): Promise<void> {
  if ((await currentVersion(db)) > 0) return;
  // Under SERIALIZABLE, a node that has waited for the lock would not see the tables.
  await db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(CREATION_LOCK)})`.execute(transaction);
      if ((await currentVersion(transaction)) > 0) return;
      for (const statement of STATEMENTS) await sql.raw(statement).execute(transaction);
    });
}

/** 0: the database has no store yet. Throws `state-newer`. */
export async function currentVersion(db: Kysely<Tables>): Promise<number> {
  const version = await versionOf(db);
  assertNotNewer('The store', version);
  return version;
}

async function versionOf(db: Kysely<Tables>): Promise<number> {
  const { rows: tables } = await sql<{ readonly name: string | null }>`select to_regclass(${VERSION_TABLE}) as name`.execute(db);
  if (tables[0]?.name == null) return 0;
  const { rows } = await sql<{ readonly version: number }>`select version from ${sql.raw(VERSION_TABLE)}`.execute(db);
  if (rows[0] === undefined) throw new LictorError('store-corrupt', `The table ${VERSION_TABLE} of the store is empty: restore a backup.`);
  return rows[0].version;
}

/** The tables that are read in the order of insertion (columns.ts). */
export const ORDERED: readonly string[] = ['login_attempts', 'device_codes', 'run_tokens', 'known_flows', 'approvals'];

/** Text has the order of its bytes, and some tables get the column that SQLite has without a declaration. */
function forPostgres(statement: string): string {
  const text = statement.replaceAll(/ text\b/g, ' text collate "C"');
  const isOrdered = ORDERED.some((table) => text.startsWith(`create table ${table} `));
  return isOrdered ? text.replace('(\n', '(\n    rowid bigint generated always as identity,\n') : text;
}

const NOTICE: readonly string[] = [
  `create function lictor_notice() returns trigger language plpgsql as $$ begin perform pg_notify('${CHANGE_CHANNEL}', ''); return null; end $$`,
  'create trigger change_number_notice after update on change_number execute function lictor_notice()',
];

const STATEMENTS: readonly string[] = [
  ...SCHEMA.map(forPostgres),
  ...NOTICE,
  `create table ${VERSION_TABLE} (version integer not null)`,
  `insert into ${VERSION_TABLE} (version) values (${STATE_VERSION})`,
];
