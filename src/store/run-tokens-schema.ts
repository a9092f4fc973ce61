// The step of the schema that brings the tokens of flow runs.
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export async function addRunTokens(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('run_tokens')
    .addColumn('hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('flow_run_id', 'text', (column) => column.notNull())
    .addColumn('deployment_id', 'text')
    .addColumn('pool', 'text', (column) => column.notNull())
    .addColumn('state_id', 'text', (column) => column.notNull())
    .addColumn('worker', 'text', (column) => column.notNull())
    .addColumn('binding', 'text', (column) => column.notNull())
    .addColumn('credential_id', 'text', (column) => column.notNull())
    .addColumn('identity', 'text')
    .addColumn('on_behalf_of', 'text', (column) => column.notNull())
    .addColumn('minted_ms', 'bigint', (column) => column.notNull())
    .addColumn('live_ms', 'bigint')
    .addColumn('ended_ms', 'bigint')
    .addColumn('expires_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('run_tokens_by_run').on('run_tokens').column('flow_run_id').execute();
  await db.schema.createIndex('run_tokens_by_worker').on('run_tokens').column('worker').execute();
}
