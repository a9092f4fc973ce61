// Step of the schema: what somebody has made is found by who it was, the newest first.
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export async function indexMakers(db: Transaction<Tables>): Promise<void> {
  await db.schema.createIndex('makers_by_principal').on('makers').columns(['principal', 'type', 'made_ms']).execute();
}
