// Stores events of Prefect in the ledger, and deletes them with retention. Each batch has one record of the chain with its digest.
import type { DatabaseSync } from 'node:sqlite';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { AppendRow } from '../append.ts';
import { EVENTS_STORED, eventsStoredRecord } from '../events.ts';
import { createRangeOf } from './batch-rows.ts';
import { createEventDigest, eventValues, INSERT_EVENT, rowOf } from './table.ts';

export interface EventBatch {
  readonly events: readonly PrefectEvent[];
  readonly mark: EventsMark;
}

export const MARK_KEY = 'events';

/** Call it inside a transaction that ends with the chain's `seal`. Known events are skipped. A batch without new events has no record. */
export function createEventStore(db: DatabaseSync, appendRow: AppendRow): (batch: EventBatch, nowMs: number) => void {
  const insert = db.prepare(INSERT_EVENT);
  const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
  return ({ events, mark }, nowMs) => {
    const digest = createEventDigest();
    const numbers: number[] = [];
    for (const event of events) {
      const values = eventValues(event);
      const { changes, lastInsertRowid } = insert.run(...values);
      if (changes === 0) continue;
      numbers.push(Number(lastInsertRowid));
      digest.add(rowOf(values));
    }
    const [first, last] = [numbers[0], numbers.at(-1)];
    if (first !== undefined && last !== undefined) appendRow(eventsStoredRecord(nowMs, { first, last, count: numbers.length, sha256: digest.hex() }));
    put.run(MARK_KEY, JSON.stringify(mark));
  };
}

/** Deletes events with the record that covers them. Call it before the records of this node up to `seq` are deleted, in the same transaction. */
export function createEventPruner(db: DatabaseSync): (node: string, seq: number) => void {
  const batches = db.prepare(`SELECT node, seq, action, resource_id FROM records WHERE node = ? AND seq <= ? AND action = '${EVENTS_STORED}'`);
  const remove = ['prefect_events', 'repeated_events'].map((table) => db.prepare(`DELETE FROM ${table} WHERE n BETWEEN ? AND ?`));
  const removeBatch = db.prepare('DELETE FROM event_batches WHERE node = ? AND seq <= ?');
  const rangeOf = createRangeOf(db);
  return (node, seq) => {
    for (const row of batches.all(node, seq)) {
      // Only the ledger writes these rows, so the shape is trusted.
      const range = rangeOf(row as unknown as LedgerRecord);
      if (range !== undefined) for (const one of remove) one.run(range.first, range.last);
    }
    removeBatch.run(node, seq);
  };
}
