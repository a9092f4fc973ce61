// Removes sessions in the caller's transaction.
import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from './tables.ts';

/** `which`: a condition on sessions. Answers how many. The caller raises the change number and ends what depends on them. */
export async function removeSessions(db: Kysely<Tables>, which: RawBuilder<boolean>): Promise<number> {
  await db.deleteFrom('idp_tokens').where('owner', 'in', db.selectFrom('sessions').select('id').where(which)).execute();
  return Number((await db.deleteFrom('sessions').where(which).executeTakeFirst()).numDeletedRows);
}
