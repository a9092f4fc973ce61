// Retention: the oldest records are let go, examined before, a few at a time. What was signed about them stays.
import type { DatabaseSync } from 'node:sqlite';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { createEventPruner } from '../prefect-events/prune-events.ts';
import type { Chain } from './chain.ts';
import { hashOf } from './hash.ts';
import type { ChainEnd } from './statement.ts';

/** So few that nothing waits for them. */
const AT_ONCE = 2_000;

/** What one step did. `altered`: it met a record that is not as it was written, and let nothing go. */
export type Pruned =
  | { readonly kind: 'none' }
  | { readonly kind: 'altered'; readonly seq: number }
  | { readonly kind: 'pruned'; readonly upTo: number; readonly more: boolean };

/**
 * Inside a transaction that ends with `seal`. Lets go what is older than `beforeMs` at the beginning of each chain: never a record behind one that is
 * still kept, so that a chain has no holes, and never the last one.
 */
export function createPruner(db: DatabaseSync, chain: Pick<Chain, 'ends' | 'moveStart'>) {
  const oldest = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ${AT_ONCE}`);
  const removeEvents = createEventPruner(db);
  const remove = db.prepare('DELETE FROM records WHERE node = ? AND seq <= ?');

  /** How far the beginning of a chain is old enough, and as it was written. */
  function due({ node, from_seq: from, from_hash: hash, seq: end }: ChainEnd, before: string): { seq: number; hash: string; altered?: number } {
    let last = { seq: from, hash };
    for (const row of oldest.iterate(node, from, end)) {
      const record = recordOfRow(row);
      if (record.time >= before) break;
      const isWhole = record.seq === last.seq + 1 && record.prev_hash === last.hash && hashOf(record) === record.hash;
      if (!isWhole) return { ...last, altered: record.seq };
      last = { seq: record.seq, hash: record.hash ?? '' };
    }
    return last;
  }

  return (beforeMs: number): Pruned => {
    for (const end of chain.ends()) {
      const { seq, hash, altered } = due(end, new Date(beforeMs).toISOString());
      if (altered !== undefined) return { kind: 'altered', seq: altered };
      if (seq === end.from_seq) continue;
      removeEvents(end.node, seq);
      remove.run(end.node, seq);
      chain.moveStart(end.node, seq, hash);
      return { kind: 'pruned', upTo: seq, more: seq - end.from_seq === AT_ONCE };
    }
    return { kind: 'none' };
  };
}
