// Who has made which object of Prefect through the gateway: what `own: true` of a scope reads.
//
// Runs carry their maker themselves, as a label, which Prefect has no filter for: those of principals with such a scope stand here too.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Makers {
  /** The first one stays: an object is made once. Of a kind, the newest of each principal are kept. */
  put(type: string, id: string, principal: string): Promise<void>;
  of(type: string, id: string): Promise<string | null>;
  /** Ids of what the principal has made of this kind, the newest first. */
  createdBy(principal: string, type: string): Promise<readonly string[]>;
  /** The object is gone; its name may be somebody else's tomorrow. */
  forget(type: string, id: string): Promise<void>;
}

/** As many as one filter can name. */
export const MOST_MADE = 5_000;

export function createMakers(database: Database, clock: Clock, most = MOST_MADE): Makers {
  return {
    put: (type, id, principal) =>
      database.write(async (transaction) => {
        const own = transaction.selectFrom('makers').where('principal', '=', principal).where('type', '=', type);
        const last = await own.select('made_ms').orderBy('made_ms', 'desc').limit(1).executeTakeFirst();
        // Strictly later than the one before: where the clock was put back the newest would be the first to go.
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
