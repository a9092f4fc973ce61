// Creates the schema, and changes that of an earlier release step by step.
import { type Kysely, sql, type Transaction } from 'kysely';
import { LictorError } from '../contract/error.ts';
import type { Database } from './database.ts';
import { FIRST_SCHEMA } from './first-schema.ts';
import type { Tables } from './tables.ts';

type Step = (db: Transaction<Tables>) => Promise<void>;

/** The version that `FIRST_SCHEMA` creates. No release has written a lower one. */
export const FIRST_SCHEMA_VERSION = 17;

/** The first step brings the schema from `FIRST_SCHEMA_VERSION` to the next version. A step that has been released is never edited: add the next one. */
const MIGRATIONS: readonly Step[] = [];

export const SCHEMA_VERSION = FIRST_SCHEMA_VERSION + MIGRATIONS.length;

/** Brings the schema up to date, in one transaction. Throws `store-newer` or `store-older` for a version that this Lictor cannot bring up to date. */
export async function migrate(database: Database): Promise<void> {
  await database.durably(async (transaction) => {
    await sql`create table if not exists schema_version (version integer not null)`.execute(transaction);
    const found = await versionOf(transaction);
    if (found === undefined) await createFirstSchema(transaction);
    const version = found ?? FIRST_SCHEMA_VERSION;
    if (version > SCHEMA_VERSION) throw newerSchema(version);
    if (version < FIRST_SCHEMA_VERSION) throw olderSchema(version);
    for (const step of MIGRATIONS.slice(version - FIRST_SCHEMA_VERSION)) await step(transaction);
    if (version < SCHEMA_VERSION) await transaction.updateTable('schema_version').set({ version: SCHEMA_VERSION }).execute();
  });
}

/** Undefined: the database is new. */
async function versionOf(db: Kysely<Tables>): Promise<number | undefined> {
  return (await db.selectFrom('schema_version').select('version').executeTakeFirst())?.version;
}

async function createFirstSchema(db: Transaction<Tables>): Promise<void> {
  for (const statement of FIRST_SCHEMA) await sql.raw(statement).execute(db);
  await db.insertInto('schema_version').values({ version: FIRST_SCHEMA_VERSION }).execute();
}

function newerSchema(version: number): LictorError {
  return new LictorError(
    'store-newer',
    `The store has schema version ${version} and this Lictor knows versions up to ${SCHEMA_VERSION}: run the newer Lictor, or restore a backup from before the upgrade.`,
  );
}

function olderSchema(version: number): LictorError {
  return new LictorError(
    'store-older',
    `The store has schema version ${version}, from before the first release, and this Lictor cannot migrate it: move the state directory away, start again, and create tokens and accounts anew.`,
  );
}
