// Step of the schema: which locks are on people of the built-in accounts, whose provider may get another name in lictor.yaml, or be taken out of it.
import type { Transaction } from 'kysely';
import { notNull } from './columns.ts';
import type { Tables } from './tables.ts';

/** What was locked before holds to the letter: what it was set on nobody has written down. */
export async function addLocksOfAccounts(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .alterTable('locks')
    .addColumn('of_accounts', 'integer', (column) => notNull(column).defaultTo(0))
    .execute();
}
