// Replay marks for data that may be used once (an assertion, a logout token, a signed request). Each stays a day longer than the data is valid.
//
// A stored mark counts independent of the clock, which may be set back. Only verified data gets a mark, so a day has few.
import { createHash } from 'node:crypto';
import { type Clock, RETENTION_AFTER_END_MS } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Marks {
  /**
   * True: the first use. Durable when it resolves, so that a restart does not forget it. `madeMs`: when the data was made. What was made before a
   * restore may have been used after the backup, so it counts as used.
   */
  once(kind: string, id: string, expiresMs: number, madeMs?: number): Promise<boolean>;
  /** True if it was used. Does not use it. */
  used(kind: string, id: string): Promise<boolean>;
}

export function createMarks(database: Database, clock: Clock): Marks {
  return {
    once: (kind, id, expiresMs, madeMs = Number.MAX_SAFE_INTEGER) =>
      database.durably(async (transaction) => {
        const restored = await transaction.selectFrom('restores').select('restored_ms').where('restored_ms', '>=', madeMs).executeTakeFirst();
        if (restored !== undefined) return false;
        await transaction
          .deleteFrom('marks')
          .where('expires_ms', '<=', clock() - RETENTION_AFTER_END_MS)
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
