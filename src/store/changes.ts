// The change number grows with every security change, in the same transaction. Readers watch it and sweep their caches.
import { type Kysely, sql } from 'kysely';
import { LictorError } from '../contract/error.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';
import type { Tables } from './tables.ts';

/** Answers a function that reads the current number. */
export function createChangeNumber(database: Pick<Database, 'read' | 'select'>): () => Promise<number> {
  const read = prepareRead(database, database.read.selectFrom('change_number').select('number'));
  return async () => {
    const [row] = await read();
    if (row === undefined) throw new LictorError('store-corrupt', 'The store has no change number.');
    return Number(row.number);
  };
}

/** Raises the number within a transaction. `reason` explains it to a reader of the store; never a secret. */
export async function raiseChangeNumber(db: Kysely<Tables>, reason: string): Promise<number> {
  const row = await db.updateTable('change_number').set({ number: sql<number>`number + 1`, reason }).returning('number').executeTakeFirstOrThrow();
  return Number(row.number);
}
