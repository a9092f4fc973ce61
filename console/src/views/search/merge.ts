// Joins lists of records: newest first, each once. Records arrive in the order of writing, which is not that of their times.
import type { LedgerRecord } from '../../parts/record-words.ts';

type Ordered = Pick<LedgerRecord, 'id' | 'time' | 'seq' | 'node'>;

export function merged<R extends Ordered>(more: readonly R[], list: readonly R[]): readonly R[] {
  if (more.length === 0) return list;
  const known = new Set(list.map(({ id }) => id));
  const added = [...new Map(more.map((record) => [record.id, record])).values()].filter(({ id }) => !known.has(id));
  return added.length === 0 ? list : [...added, ...list].sort(newestFirst);
}

function newestFirst(a: Ordered, b: Ordered): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.node === b.node ? b.seq - a.seq : 0;
}
