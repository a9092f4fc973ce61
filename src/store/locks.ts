// Locks: who and what is shut out, until when. Setting and taking one away raises the change number. One that has ended is kept for a day, and holds again
// where the clock that said so is put back.
import { type Clock, KEPT_AFTER_END_MS } from '../contract/clock.ts';
import type { Lock, LockTarget, NewLock } from '../contract/lock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';

export interface Locks {
  /** A lock on the same target is replaced; where one of them is on accounts, both are. */
  put(lock: NewLock): Promise<void>;
  /** False: there was none that holds. */
  remove(target: LockTarget): Promise<boolean>;
  /** Those that hold now, oldest first. */
  list(): Promise<readonly Lock[]>;
}

export function createLocks(database: Database, clock: Clock): Locks {
  const holding = prepareRead(
    database.read,
    database.read
      .selectFrom('locks')
      .selectAll()
      .where((where) => where.or([where('expires_ms', 'is', null), where('expires_ms', '>', 0)]))
      .orderBy('created_ms')
      .orderBy('value'),
  );
  return {
    put: ({ kind, value, why, by, expiresMs, ofAccounts = false }) =>
      database.durably(async (transaction) => {
        const columns = { why, locked_by: by, created_ms: clock(), expires_ms: expiresMs, ...(ofAccounts && { of_accounts: 1 }) };
        await transaction
          .deleteFrom('locks')
          .where('expires_ms', '<=', clock() - KEPT_AFTER_END_MS)
          .execute();
        await transaction
          .insertInto('locks')
          .values({ kind, value, of_accounts: 0, ...columns })
          .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(columns))
          .execute();
        await raiseChangeNumber(transaction, 'lock');
      }),
    remove: ({ kind, value }) =>
      database.durably(async (transaction) => {
        // One that has ended goes too: whoever is unlocked stays so when the clock is put back.
        const those = transaction.deleteFrom('locks').where('kind', '=', kind).where('value', '=', value);
        const row = await those.returning('expires_ms').executeTakeFirst();
        const removed = row !== undefined && (row.expires_ms === null || row.expires_ms > clock());
        if (removed) await raiseChangeNumber(transaction, 'unlock');
        return removed;
      }),
    async list() {
      const rows = await holding(clock());
      return rows.map((row) => ({
        kind: row.kind,
        value: row.value,
        ofAccounts: row.of_accounts === 1,
        why: row.why,
        by: row.locked_by,
        createdMs: row.created_ms,
        expiresMs: row.expires_ms,
      }));
    },
  };
}
