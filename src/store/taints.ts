// Requesters that have lately read text of others: an agent by its id, or the login of a client that acts for a person.
import { type Clock, RETENTION_AFTER_END_MS } from '../contract/clock.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';

/** At least this long after the last read. */
export const TAINT_MS = 60 * 60_000;

export interface Taints {
  /** Durable when it resolves. */
  mark(requester: string): Promise<void>;
  /** The end of the taint, in epoch milliseconds; null: it has none. */
  until(requester: string): Promise<number | null>;
}

/** A reader that goes on reading is written once in this time, so a taint lasts up to this much longer. */
const COARSE_MS = 60_000;

export function createTaints(database: Database, clock: Clock): Taints {
  const find = prepareRead(database, database.read.selectFrom('taints').select('until_ms').where('requester', '=', ''));
  const untilOf = async (requester: string): Promise<number | null> => {
    const [row] = await find(requester);
    return row === undefined || row.until_ms <= clock() ? null : row.until_ms;
  };
  return {
    until: untilOf,
    async mark(requester) {
      if (((await untilOf(requester)) ?? 0) >= clock() + TAINT_MS) return;
      const until_ms = clock() + TAINT_MS + COARSE_MS;
      await database.durably(async (transaction) => {
        // Ended taints stay a day: they hold again if the clock is set back.
        await transaction
          .deleteFrom('taints')
          .where('until_ms', '<=', clock() - RETENTION_AFTER_END_MS)
          .execute();
        await transaction
          .insertInto('taints')
          .values({ requester, until_ms })
          .onConflict((conflict) => conflict.column('requester').doUpdateSet({ until_ms }))
          .execute();
      });
    },
  };
}
