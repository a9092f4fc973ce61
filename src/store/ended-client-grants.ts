// Ends grants in the caller's transaction: after a logout, a replayed refresh token, or the removal of an account.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { raiseChangeNumber } from './changes.ts';
import type { Tables } from './tables.ts';

/** Ends valid grants and deletes their providers' tokens. Raises the change number if there are any; answers how many. */
export async function endClientGrants(db: Kysely<Tables>, nowMs: number, which: RawBuilder<boolean>): Promise<number> {
  const those = db.selectFrom('client_grants').select('id').where('ended_ms', 'is', null).where(which);
  await db.deleteFrom('idp_tokens').where('owner', 'in', those).execute();
  const result = await db.updateTable('client_grants').set({ ended_ms: nowMs }).where('ended_ms', 'is', null).where(which).executeTakeFirst();
  const ended = Number(result.numUpdatedRows);
  if (ended > 0) await raiseChangeNumber(db, 'login ended');
  return ended;
}

export function ofAccount(accountId: string): RawBuilder<boolean> {
  return sql<boolean>`account_id = ${accountId}`;
}

/** `which`: a condition on sessions. */
export function ofSessions(which: RawBuilder<boolean>): RawBuilder<boolean> {
  return sql<boolean>`session_id in (select id from sessions where ${which})`;
}
