// The principals that created objects of Prefect through the gateway, for `own: true` of a scope.
//
// A label of a run names its creator, and Prefect has no filter for it. So the store has the runs of principals with such a scope too.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Makers {
  /** Does not replace a stored creator. Of each principal and kind, Lictor stores the newest objects. */
  put(type: string, id: string, principal: string): Promise<void>;
  of(type: string, id: string): Promise<string | null>;
  /** Ids of the objects of this kind that the principal created, newest first. */
  createdBy(principal: string, type: string): Promise<readonly string[]>;
  /** Call it when the object was deleted: another principal may reuse its name. */
  forget(type: string, id: string): Promise<void>;
}

/** The most ids of one filter. */
export const MOST_MADE = 5_000;

export function createMakers(database: Database, clock: Clock, most = MOST_MADE): Makers {
  return {
    put: (type, id, principal) =>
      database.write(async (transaction) => {
        const own = transaction.selectFrom('makers').where('principal', '=', principal).where('type', '=', type);
        const last = await own.select('made_ms').orderBy('made_ms', 'desc').limit(1).executeTakeFirst();
        // Strictly later than the one before: otherwise the newest would be deleted first if the clock was set back.
        const madeMs = Math.max(clock(), (last?.made_ms ?? 0) + 1);
        await transaction
          .insertInto('makers')
          .values({ type, id, principal, made_ms: madeMs })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        if (type !== 'FlowRun') return;
        const oldest = await own.select('made_ms').orderBy('made_ms', 'desc').offset(most).limit(1).executeTakeFirst();
        if (oldest === undefined) return;
        await transaction.deleteFrom('makers').where('principal', '=', principal).where('type', '=', type).where('made_ms', '<=', oldest.made_ms).execute();
      }),
    of: async (type, id) => {
      const row = await database.read.selectFrom('makers').select('principal').where('type', '=', type).where('id', '=', id).executeTakeFirst();
      return row?.principal ?? null;
    },
    createdBy: async (principal, type) => {
      const made = database.read.selectFrom('makers').select('id').where('principal', '=', principal).where('type', '=', type);
      const rows = await made.orderBy('made_ms', 'desc').limit(most).execute();
      return rows.map(({ id }) => id);
    },
    forget: (type, id) =>
      database.write(async (transaction) => {
        await transaction.deleteFrom('makers').where('type', '=', type).where('id', '=', id).execute();
      }),
  };
}
