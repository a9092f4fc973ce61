// What may be used once (an assertion, a logout token, a signed request): a mark each, for a day beyond the time from which it would be refused as too old anyway.
//
// While a mark is there it counts, whatever the clock says: as soon as it is put back the mark is needed again. Only what was proven has one, so a day of them is few.
import { createHash } from 'node:crypto';
import { type Clock, KEPT_AFTER_END_MS } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Marks {
  /** True the first time; false when it was used before. Durable when it resolves: a restart does not make it new again. */
  once(kind: string, id: string, expiresMs: number): Promise<boolean>;
  /** Whether it was, without using it. */
  used(kind: string, id: string): Promise<boolean>;
}

export function createMarks(database: Database, clock: Clock): Marks {
  return {
    once: (kind, id, expiresMs) =>
      database.durably(async (transaction) => {
        await transaction
          .deleteFrom('marks')
          .where('expires_ms', '<=', clock() - KEPT_AFTER_END_MS)
          .execute();
        const result = await transaction
          .insertInto('marks')
          .values({ kind, id: hash(id), expires_ms: expiresMs })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return Number(result.numInsertedOrUpdatedRows) === 1;
      }),
    async used(kind, id) {
      const row = await database.read.selectFrom('marks').select('id').where('kind', '=', kind).where('id', '=', hash(id)).executeTakeFirst();
      return row !== undefined;
    },
  };
}

function hash(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
