// Where the events of a record are: this ledger has its own numbers for the batches of other nodes.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVENTS_STORED, parseStoredEvents, parseStoredRange, type StoredEvents } from '../events.ts';
import { EVENT_COLUMNS, eventValues, INSERT_EVENT_AT, INSERT_REPEATED } from './table.ts';

export type Range = Pick<StoredEvents, 'first' | 'last'>;
type OfBatch = Pick<LedgerRecord, 'node' | 'seq' | 'action' | 'resource_id'>;

/** The numbers of a record's events in this ledger. Undefined: the record covers none. */
export function createRangeOf(db: DatabaseSync): (record: OfBatch) => Range | undefined {
  const foreign = db.prepare('SELECT first, last FROM event_batches WHERE node = ? AND seq = ?');
  return ({ node, seq, action, resource_id: text }) => {
    if (action !== EVENTS_STORED) return undefined;
    const row = foreign.get(node, seq);
    return row === undefined ? parseStoredRange(text) : { first: Number(row['first']), last: Number(row['last']) };
  };
}

type EventRow = Record<string, SQLOutputValue>;

/** The rows that a record covers, in their order, those of another node's copy too. */
export function createBatchRows(db: DatabaseSync): (record: LedgerRecord) => Iterable<EventRow> {
  const rangeOf = createRangeOf(db);
  const select = (table: string) => `SELECT n, ${EVENT_COLUMNS} FROM ${table} WHERE n BETWEEN ?1 AND ?2`;
  const rows = db.prepare(`${select('prefect_events')} UNION ALL ${select('repeated_events')} ORDER BY n`);
  return (record) => {
    const range = parseStoredEvents(record) === undefined ? undefined : rangeOf(record);
    return range === undefined ? [] : rows.iterate(range.first, range.last);
  };
}

/** Stores the events of another node's record. Inside a transaction, before the record is inserted. */
export function createForeignEvents(db: DatabaseSync): (record: LedgerRecord, events: readonly PrefectEvent[]) => void {
  const end = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'prefect_events'");
  const setEnd = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'prefect_events'");
  const insert = db.prepare(INSERT_EVENT_AT);
  const repeat = db.prepare(INSERT_REPEATED);
  const batch = db.prepare('INSERT INTO event_batches (node, seq, first, last) VALUES (?, ?, ?, ?)');
  return ({ node, seq }, events) => {
    if (events.length === 0) return;
    const before = Number(end.get()?.['seq'] ?? 0);
    for (const [index, event] of events.entries()) {
      const values = [before + 1 + index, ...eventValues(event)];
      if (insert.run(...values).changes === 0) repeat.run(...values);
    }
    const last = before + events.length;
    setEnd.run(last);
    batch.run(node, seq, before + 1, last);
  };
}
