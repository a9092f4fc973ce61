// Ending grants, for whatever ends them: a logout, a replayed refresh token, an account that goes. Within the caller's transaction.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { raiseChangeNumber } from './changes.ts';
import type { Tables } from './tables.ts';

/** Those that have not ended yet; their providers' tokens go too. Raises the change number if there was any; answers how many. */
export async function endClientGrants(db: Kysely<Tables>, nowMs: number, which: RawBuilder<boolean>): Promise<number> {
  const ended = await db.updateTable('client_grants').set({ ended_ms: nowMs }).where('ended_ms', 'is', null).where(which).returning('id').execute();
  const ids = ended.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await db.deleteFrom('idp_tokens').where('owner', 'in', ids).execute();
  await raiseChangeNumber(db, 'login ended');
  return ids.length;
}

export function ofAccount(accountId: string): RawBuilder<boolean> {
  return sql<boolean>`account_id = ${accountId}`;
}

export function ofSessions(ids: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`session_id in (${sql.join(ids)})`;
}
