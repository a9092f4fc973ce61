// Step of the schema: logins of the command line, their tokens, and devices that wait for a person.
import { sql, type Transaction } from 'kysely';
import { notNull, primaryKey } from './columns.ts';
import type { Tables } from './tables.ts';

/** Logins of the command line: what a person let a client do. */
export async function addClientGrants(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('client_grants')
    .addColumn('id', 'text', primaryKey)
    .addColumn('client_id', 'text', notNull)
    .addColumn('scopes', 'text', notNull)
    .addColumn('audience', 'text', notNull)
    .addColumn('account_id', 'text', (column) => column.references('accounts.id'))
    .addColumn('identity_id', 'text')
    .addColumn('session_id', 'text')
    .addColumn('refresh_after_ms', 'bigint')
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('seen_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .addColumn('ended_ms', 'bigint')
    .addCheckConstraint('client_grants_one_owner', sql`(account_id is null) <> (identity_id is null)`)
    .execute();
  for (const column of ['account_id', 'identity_id', 'session_id'] as const) {
    await db.schema.createIndex(`client_grants_by_${column}`).on('client_grants').column(column).execute();
  }
  await db.schema
    .createTable('refresh_tokens')
    .addColumn('hash', 'text', primaryKey)
    .addColumn('grant_id', 'text', (column) => column.notNull().references('client_grants.id'))
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('used_ms', 'bigint')
    .execute();
  await db.schema.createIndex('refresh_tokens_by_grant').on('refresh_tokens').column('grant_id').execute();
  await db.schema
    .createTable('grant_tokens')
    .addColumn('id', 'text', primaryKey)
    .addColumn('hash', 'text', notNull)
    .addColumn('grant_id', 'text', (column) => column.notNull().references('client_grants.id'))
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .execute();
  await db.schema.createIndex('grant_tokens_by_grant').on('grant_tokens').column('grant_id').execute();
  await addDeviceCodes(db);
}

async function addDeviceCodes(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('device_codes')
    .addColumn('id', 'text', primaryKey)
    .addColumn('hash', 'text', notNull)
    .addColumn('user_hash', 'text', notNull)
    .addColumn('client_id', 'text', notNull)
    .addColumn('scopes', 'text', notNull)
    .addColumn('audience', 'text', notNull)
    .addColumn('openid', 'integer', notNull)
    .addColumn('address', 'text', notNull)
    .addColumn('user_agent', 'text', notNull)
    .addColumn('created_ms', 'bigint', notNull)
    .addColumn('expires_ms', 'bigint', notNull)
    .addColumn('interval_ms', 'bigint', notNull)
    .addColumn('polled_ms', 'bigint')
    .addColumn('state', 'text', notNull)
    .addColumn('grant_id', 'text')
    .execute();
  await db.schema.createIndex('device_codes_by_user').on('device_codes').column('user_hash').unique().execute();
}
