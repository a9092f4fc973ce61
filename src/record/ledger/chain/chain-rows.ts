// Reads a part of one chain as another ledger takes it: records, each with the events of Prefect that it covers.
import type { DatabaseSync } from 'node:sqlite';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { createBatchRows } from '../prefect-events/batch-rows.ts';
import { eventOfRow } from '../prefect-events/table.ts';
import type { ForeignRow } from './import.ts';

export type ReadChain = (node: string, part: { readonly after: number; readonly upTo: number }, count: number) => readonly ForeignRow[];

export function createReadChain(db: DatabaseSync): ReadChain {
  const rows = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`);
  const eventsOf = createBatchRows(db);
  return (node, { after, upTo }, count) =>
    rows.all(node, after, upTo, count).map((row) => {
      const record = recordOfRow(row);
      return { record, events: Array.from(eventsOf(record), eventOfRow) };
    });
}
