// How far each sink has the chain of each node, so that another node sends the rest of a node that is gone.
import type { Transaction } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Database } from './database.ts';
import { GONE_AFTER_MS } from './nodes.ts';
import type { Tables } from './tables.ts';

export interface SentChain {
  readonly sink: string;
  readonly node: string;
  /** The last record of the chain that the sink has. */
  readonly seq: number;
}

export interface LedgerExports {
  /** This node sends its chain again. Answers how far its sinks have it. */
  claimOwn(node: string): Promise<readonly SentChain[]>;
  /** The chains of nodes that are not live. `fence`: of the duty `exports`. None if another node has the duty. */
  claimLost(fence: number): Promise<readonly SentChain[]>;
  /** Stores a position. `fence`: null for the own chain. False: another node sends this chain now, and nothing was changed. */
  sent(chain: SentChain, fence: number | null): Promise<boolean>;
}

export function createLedgerExports(database: Database, clock: Clock): LedgerExports {
  const holds = async (transaction: Transaction<Tables>, fence: number): Promise<boolean> =>
    ((await transaction.selectFrom('duties').select('fence').where('name', '=', 'exports').executeTakeFirst())?.fence ?? 0) === fence;

  return {
    claimOwn: (node) =>
      database.durably((transaction) =>
        transaction.updateTable('ledger_exports').set({ fence: null }).where('node', '=', node).returning(['sink', 'node', 'seq']).execute(),
      ),
    claimLost: (fence) =>
      database.durably(async (transaction) => {
        if (!(await holds(transaction, fence))) return [];
        const live = transaction
          .selectFrom('nodes')
          .select('name')
          .where('seen_ms', '>', clock() - GONE_AFTER_MS);
        const lost = await transaction.selectFrom('ledger_exports').selectAll().where('node', 'not in', live).orderBy('node').orderBy('sink').execute();
        const others = [...new Set(lost.filter((row) => row.fence !== fence).map(({ node }) => node))];
        if (others.length > 0) await transaction.updateTable('ledger_exports').set({ fence }).where('node', 'in', others).execute();
        return lost.map(({ sink, node, seq }) => ({ sink, node, seq }));
      }),
    sent: ({ sink, node, seq }, fence) =>
      database.write(async (transaction) => {
        if (fence !== null) {
          if (!(await holds(transaction, fence))) return false;
          const mine = transaction.updateTable('ledger_exports').set({ seq }).where('sink', '=', sink).where('node', '=', node).where('fence', '=', fence);
          return (await mine.executeTakeFirst()).numUpdatedRows > 0n;
        }
        const insert = transaction.insertInto('ledger_exports').values({ sink, node, seq, fence });
        const own = insert.onConflict((conflict) => conflict.columns(['sink', 'node']).doUpdateSet({ seq }).where('ledger_exports.fence', 'is', null));
        return ((await own.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) > 0n;
      }),
  };
}
