// Who has taken a lease of concurrency slots: Prefect lets anybody renew or release it who knows its id.
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';

export interface Lease {
  /** Prefect's id. */
  readonly id: string;
  /** Who took it. */
  readonly principal: string;
  /** The flow run that it was taken by or for; null: of none that is known. */
  readonly flowRun: string | null;
}

export interface Leases {
  /** For so long from now, over restarts. A lease that is known keeps its taker. Of each principal those that end last are kept. */
  put(lease: Lease, lifeMs: number): Promise<void>;
  /** Ends so long from now: it was renewed, or released. What is not known stays so. */
  ends(id: string, lifeMs: number): Promise<void>;
  /** Null: not known, or over. */
  of(id: string): Promise<Lease | null>;
}

const MOST_HELD = 10_000;
/** One that is put goes beyond by one. */
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
        // Never the one that is put: where the clock was put back it is the first to end.
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
