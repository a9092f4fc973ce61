// Step of the schema: who has made what anybody may make, so that nobody pushes out what others have made.
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Rows of before live for minutes, and are nobody's. */
export async function addGuessers(db: Transaction<Tables>): Promise<void> {
  for (const table of ['login_attempts', 'device_codes'] as const) {
    await db.schema.alterTable(table).addColumn('guesser', 'text').execute();
    await db.schema.createIndex(`${table}_by_guesser`).on(table).columns(['guesser', 'created_ms']).execute();
  }
}
