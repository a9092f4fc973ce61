// Locks: who and what is shut out, until when. Setting and taking one away raises the change number.
import type { Clock } from '../contract/clock.ts';
import type { Lock, LockTarget } from '../contract/lock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';

export interface Locks {
  /** A lock on the same target is replaced. */
  put(lock: Omit<Lock, 'createdMs'>): Promise<void>;
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
    put: ({ kind, value, why, by, expiresMs }) =>
      database.durably(async (transaction) => {
        const columns = { why, locked_by: by, created_ms: clock(), expires_ms: expiresMs };
        await transaction.deleteFrom('locks').where('expires_ms', '<=', clock()).execute();
        await transaction
          .insertInto('locks')
          .values({ kind, value, ...columns })
          .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(columns))
          .execute();
        await raiseChangeNumber(transaction, 'lock');
      }),
    remove: ({ kind, value }) =>
      database.durably(async (transaction) => {
        await transaction.deleteFrom('locks').where('expires_ms', '<=', clock()).execute();
        const result = await transaction.deleteFrom('locks').where('kind', '=', kind).where('value', '=', value).executeTakeFirst();
        const removed = Number(result.numDeletedRows) > 0;
        if (removed) await raiseChangeNumber(transaction, 'unlock');
        return removed;
      }),
    async list() {
      const rows = await holding(clock());
      return rows.map((row) => ({
        kind: row.kind,
        value: row.value,
        why: row.why,
        by: row.locked_by,
        createdMs: row.created_ms,
        expiresMs: row.expires_ms,
      }));
    },
  };
}
