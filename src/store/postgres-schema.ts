// The tables of the store in Postgres: the statements of SQLite, with two differences.
import { type Kysely, sql } from 'kysely';
import { applyChanges, planOf, type StorePlan, type StoreProgram, VERSION_TABLE } from './postgres-versions.ts';
import type { Tables } from './tables.ts';
import { SCHEMA } from './tables.ts';

/** Postgres says here that the change number has grown. A notice in every transaction would slow all of them down. */
export const CHANGE_CHANNEL = 'lictor_change';
/** Of the nodes that start at once, one creates the tables. The number is arbitrary; each database has separate locks. */
const CREATION_LOCK = 7_260_915;

/** Creates the tables, or changes those of an older release. Throws as `applyChanges`, `store-foreign`, or the errors of Postgres. */
export async function preparePostgresTables(db: Kysely<Tables>, program: StoreProgram): Promise<void> {
  if (isReady(await planOf(db, program))) return;
  // Under SERIALIZABLE, a node that has waited for the lock would not see the tables.
  await db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(CREATION_LOCK)})`.execute(transaction);
      const plan = await planOf(transaction, program);
      if (plan.version > 0) await applyChanges(transaction, program);
      else for (const statement of [...STATEMENTS, ...versionRow(program)]) await sql.raw(statement).execute(transaction);
    });
}

function isReady({ version, changes }: StorePlan): boolean {
  return version > 0 && changes.length === 0;
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

const STATEMENTS: readonly string[] = [...SCHEMA.map(forPostgres), ...NOTICE];

function versionRow({ version, oldest }: StoreProgram): readonly string[] {
  return [
    `create table ${VERSION_TABLE} (version integer not null, oldest text not null)`,
    `insert into ${VERSION_TABLE} (version, oldest) values (${version}, '${oldest}')`,
  ];
}
