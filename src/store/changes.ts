// The change number: it grows with every security change, in the same transaction; readers look at it and sweep their caches.
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** The number as it is now. */
export async function readChangeNumber(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('change_number').select('number').executeTakeFirstOrThrow();
  return Number(row.number);
}

/** Raises the number within a transaction; `reason` is for whoever looks at the store, never a secret. */
export async function raiseChangeNumber(db: Kysely<Tables>, reason: string): Promise<number> {
  const row = await db.updateTable('change_number').set({ number: sql<number>`number + 1`, reason }).returning('number').executeTakeFirstOrThrow();
  return Number(row.number);
}
