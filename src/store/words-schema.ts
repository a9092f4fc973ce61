// Step of the schema: by whose word an identity is who it is, since an id of lictor.yaml may come to stand for another provider.
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Those of before are taken for the provider's of now, until they log in anew. */
export async function addWords(db: Transaction<Tables>): Promise<void> {
  await db.schema.alterTable('identities').addColumn('word', 'text').execute();
}
