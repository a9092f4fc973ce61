// Who has made which object of Prefect through the gateway: what `own: true` of a scope reads. Runs carry their maker themselves, as a label.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Makers {
  /** The first one stays: an object is made once. */
  put(type: string, id: string, principal: string): Promise<void>;
  of(type: string, id: string): Promise<string | null>;
  /** The object is gone; its name may be somebody else's tomorrow. */
  forget(type: string, id: string): Promise<void>;
}

export function createMakers(database: Database, clock: Clock): Makers {
  return {
    put: (type, id, principal) =>
      database.write(async (transaction) => {
        await transaction
          .insertInto('makers')
          .values({ type, id, principal, made_ms: clock() })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }),
    of: async (type, id) => {
      const row = await database.read.selectFrom('makers').select('principal').where('type', '=', type).where('id', '=', id).executeTakeFirst();
      return row?.principal ?? null;
    },
    forget: (type, id) =>
      database.write(async (transaction) => {
        await transaction.deleteFrom('makers').where('type', '=', type).where('id', '=', id).execute();
      }),
  };
}
