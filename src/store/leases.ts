// The owners of leases of concurrency slots. Prefect lets any client renew or release a lease whose id it knows.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Lease {
  /** Prefect's id. */
  readonly id: string;
  /** The owner. */
  readonly principal: string;
  /** The flow run that it was acquired by or for; null: unknown. */
  readonly flowRun: string | null;
}

export interface Leases {
  /** Stores it for this time, over restarts. A known lease does not change its owner. Of each principal, stores those that end last. */
  put(lease: Lease, lifeMs: number): Promise<void>;
  /** Sets a new end after a renewal or release. Ignores an unknown lease. */
  ends(id: string, lifeMs: number): Promise<void>;
  /** Null: unknown or over. */
  of(id: string): Promise<Lease | null>;
}

const MOST_HELD = 10_000;
/** A new lease may exceed it by one. */
const AT_ONCE = 100;

export function createLeases(database: Database, clock: Clock, most = MOST_HELD): Leases {
  return {
    put: ({ id, principal, flowRun }, lifeMs) =>
      database.write(async (transaction) => {
        const row = { id, principal, flow_run: flowRun, expires_ms: clock() + lifeMs };
        await transaction.deleteFrom('leases').where('expires_ms', '<=', clock()).execute();
        await transaction
          .insertInto('leases')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ expires_ms: row.expires_ms }))
          .execute();
        // Never deletes the new lease, which ends first if the clock was set back.
        const others = transaction.selectFrom('leases').select('id').where('principal', '=', principal).where('id', '!=', id);
        const beyond = others
          .orderBy('expires_ms', 'desc')
          .orderBy('id')
          .limit(AT_ONCE)
          .offset(most - 1);
        await transaction.deleteFrom('leases').where('id', 'in', beyond).execute();
      }),
    ends: (id, lifeMs) =>
      database.write(async (transaction) => {
        await transaction
          .updateTable('leases')
          .set({ expires_ms: clock() + lifeMs })
          .where('id', '=', id)
          .where('expires_ms', '>', clock())
          .execute();
      }),
    async of(id) {
      const found = database.read.selectFrom('leases').select(['principal', 'flow_run']).where('id', '=', id);
      const row = await found.where('expires_ms', '>', clock()).executeTakeFirst();
      return row === undefined ? null : { id, principal: row.principal, flowRun: row.flow_run };
    },
  };
}
