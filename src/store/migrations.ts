// The schema, step by step. A step that has been released is never edited: add the next one.
import { sql, type Transaction } from 'kysely';
import { LictorError } from '../contract/error.ts';
import { addClientGrants } from './client-grants-schema.ts';
import { notNull, primaryKey } from './columns.ts';
import type { Database } from './database.ts';
import { addFormerNames } from './former-names.ts';
import { addGuessers } from './guessers-schema.ts';
import { addKeptAnswers } from './kept-answers.ts';
import { addKnownFlows } from './known-flows.ts';
import { addLeases } from './leases.ts';
import { addLocksOfAccounts } from './locks-schema.ts';
import { indexMakers } from './makers-index.ts';
import { addRunTokens } from './run-tokens-schema.ts';
import type { Tables } from './tables.ts';
import { addWords } from './words-schema.ts';

type Step = (db: Transaction<Tables>) => Promise<void>;

/** Step N brings the schema from version N to N + 1. */
const FIRST_STEPS: readonly Step[] = [createFirstSchema, addIdentities, addLocks, addAccountExpiry, addAccessTokens, addScopes, addPolicySets];
const SECOND_STEPS: readonly Step[] = [addClientGrants, indexMakers, addRunTokens, addKnownFlows, addLeases, addKeptAnswers, addGuessers, addWords];
const STEPS: readonly Step[] = [...FIRST_STEPS, ...SECOND_STEPS, addFormerNames, addLocksOfAccounts];

export const SCHEMA_VERSION = STEPS.length;

/** Brings the schema up to date, in one transaction; throws `store-newer` when a later Lictor has written it. */
export async function migrate(database: Database): Promise<void> {
  await database.durably(async (transaction) => {
    await transaction.schema.createTable('schema_version').ifNotExists().addColumn('version', 'integer', notNull).execute();
    const found = (await transaction.selectFrom('schema_version').select('version').executeTakeFirst())?.version;
    const version = found ?? 0;
    if (version > SCHEMA_VERSION) throw newerSchema(version);
    for (const step of STEPS.slice(version)) await step(transaction);
    if (found === undefined) await transaction.insertInto('schema_version').values({ version: SCHEMA_VERSION }).execute();
    else if (version < SCHEMA_VERSION) await transaction.updateTable('schema_version').set({ version: SCHEMA_VERSION }).execute();
  });
}

function newerSchema(version: number): LictorError {
  return new LictorError(
    'store-newer',
    `The store has schema version ${version} and this Lictor knows versions up to ${SCHEMA_VERSION}: run the newer Lictor, or restore a backup from before the upgrade.`,
  );
}

async function createFirstSchema(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('change_number')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('number', 'bigint', notNull)
    .addColumn('reason', 'text', notNull)
    .execute();
  await db.insertInto('change_number').values({ id: 1, number: 1, reason: 'store created' }).execute();
  await createTokens(db);
  await createAccounts(db);
  await db.schema
    .createTable('login_attempts')
    .addColumn('id', 'text', primaryKey)
    .addColumn('return_to', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .execute();
  await db.schema.createIndex('login_attempts_by_age').on('login_attempts').column('created_ms').execute();
}

async function createTokens(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('tokens')
    .addColumn('id', 'text', primaryKey)
    .addColumn('name', 'text', notNull)
    .addColumn('roles', 'text', notNull)
    .addColumn('cidrs', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('lifetime_ms', 'bigint')
    .addColumn('revoked_ms', 'bigint')
    .addColumn('last_used_ms', 'bigint')
    .execute();
  await sql`create unique index tokens_live_name on tokens (name) where revoked_ms is null`.execute(db);
  await db.schema
    .createTable('token_secrets')
    .addColumn('hash', 'text', primaryKey)
    .addColumn('token_id', 'text', (column) => column.notNull().references('tokens.id'))
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint')
    .execute();
  await db.schema.createIndex('token_secrets_by_token').on('token_secrets').column('token_id').execute();
}

async function createAccounts(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('accounts')
    .addColumn('id', 'text', primaryKey)
    .addColumn('name', 'text', notNull)
    .addColumn('roles', 'text', notNull)
    .addColumn('password', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('removed_ms', 'bigint')
    .execute();
  await sql`create unique index accounts_live_name on accounts (name) where removed_ms is null`.execute(db);
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', primaryKey)
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id'))
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('last_seen_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .execute();
  await db.schema.createIndex('sessions_by_account').on('sessions').column('account_id').execute();
}

/** People of identity providers beside the built-in accounts: sessions belong to either. */
async function addIdentities(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('identities')
    .addColumn('id', 'text', primaryKey)
    .addColumn('idp', 'text', notNull)
    .addColumn('subject', 'text', notNull)
    .addColumn('name', 'text', notNull)
    .addColumn('kind', 'text', notNull)
    .addColumn('groups', 'text', notNull)
    .addColumn('claims', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('seen_ms', 'bigint', notNull)
    .execute();
  await db.schema.createIndex('identities_by_subject').on('identities').columns(['idp', 'subject']).unique().execute();
  await db.schema.createIndex('identities_by_name').on('identities').columns(['idp', 'name']).unique().execute();
  await rebuildSessions(db);
  await db.schema.alterTable('login_attempts').addColumn('idp', 'text').execute();
  await db.schema.alterTable('login_attempts').addColumn('sealed', 'text').execute();
  await db.schema
    .createTable('idp_tokens')
    .addColumn('owner', 'text', primaryKey)
    .addColumn('sealed', 'text', notNull)
    .addColumn('updated_ms', 'bigint', notNull)
    .execute();
  await db.schema
    .createTable('marks')
    .addColumn('kind', 'text', notNull)
    .addColumn('id', 'text', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .addPrimaryKeyConstraint('marks_key', ['kind', 'id'])
    .execute();
  await db.schema.createIndex('marks_by_age').on('marks').column('expires_ms').execute();
}

async function addLocks(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('locks')
    .addColumn('kind', 'text', notNull)
    .addColumn('value', 'text', notNull)
    .addColumn('why', 'text', notNull)
    .addColumn('locked_by', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint')
    .addPrimaryKeyConstraint('locks_key', ['kind', 'value'])
    .execute();
}

/** Accounts of an emergency end by themselves. */
async function addAccountExpiry(db: Transaction<Tables>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('expires_ms', 'bigint').execute();
}

/** Short tokens that are given for the proof of another provider. */
async function addAccessTokens(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('access_tokens')
    .addColumn('id', 'text', primaryKey)
    .addColumn('hash', 'text', notNull)
    .addColumn('idp', 'text', notNull)
    .addColumn('subject', 'text', notNull)
    .addColumn('name', 'text', notNull)
    .addColumn('kind', 'text', notNull)
    .addColumn('groups', 'text', notNull)
    .addColumn('claims', 'text', notNull)
    .addColumn('trust', 'text', notNull)
    .addColumn('proof', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .addColumn('revoked_ms', 'bigint')
    .execute();
  await db.schema.createIndex('access_tokens_by_age').on('access_tokens').column('expires_ms').execute();
  await db.schema.createIndex('access_tokens_by_name').on('access_tokens').columns(['idp', 'name']).execute();
}

/** Roles that hold on some objects only, and who has made which object. */
async function addScopes(db: Transaction<Tables>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('scope', 'text').execute();
  await db.schema.alterTable('accounts').addColumn('scope', 'text').execute();
  await db.schema
    .createTable('makers')
    .addColumn('type', 'text', notNull)
    .addColumn('id', 'text', notNull)
    .addColumn('principal', 'text', notNull)
    .addColumn('made_ms', 'bigint', notNull)
    .addPrimaryKeyConstraint('makers_key', ['type', 'id'])
    .execute();
}

/** Own policies that were in force. */
async function addPolicySets(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('policy_sets')
    .addColumn('revision', 'bigint', primaryKey)
    .addColumn('files', 'text', notNull)
    .addColumn('applied_by', 'text', notNull)
    .addColumn('why', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .execute();
}

/** SQLite cannot make a column nullable in place. */
async function rebuildSessions(db: Transaction<Tables>): Promise<void> {
  await sql`alter table sessions rename to sessions_before`.execute(db);
  await sql`drop index sessions_by_account`.execute(db);
  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', primaryKey)
    .addColumn('account_id', 'text', (column) => column.references('accounts.id'))
    .addColumn('identity_id', 'text', (column) => column.references('identities.id'))
    .addColumn('idp_session', 'text')
    .addColumn('refresh_after_ms', 'bigint')
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('last_seen_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .addCheckConstraint('sessions_one_owner', sql`(account_id is null) <> (identity_id is null)`)
    .execute();
  await sql`insert into sessions (id, account_id, created_ms, last_seen_ms, expires_ms)
    select id, account_id, created_ms, last_seen_ms, expires_ms from sessions_before`.execute(db);
  await sql`drop table sessions_before`.execute(db);
  await db.schema.createIndex('sessions_by_account').on('sessions').column('account_id').execute();
  await db.schema.createIndex('sessions_by_identity').on('sessions').column('identity_id').execute();
}
