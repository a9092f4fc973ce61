// The events of which a record speaks, a part at a time: for who sends them on.
import type { DatabaseSync } from 'node:sqlite';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVENTS_STORED, parseStoredRange } from '../events.ts';
import { EVENT_COLUMNS, eventOfRow } from './table.ts';

export interface NumberedEvent {
  readonly n: number;
  readonly event: PrefectEvent;
}

/** Those behind number `after`, at most so many, in the order in which they were stored. Retention may have taken them: then there are none. */
export function createRangeReader(db: DatabaseSync): (record: LedgerRecord, after: number, most: number) => readonly NumberedEvent[] {
  // A gateway of an earlier version has written it: there are none.
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'prefect_events'").get() === undefined) return () => [];
  const rows = db.prepare(`SELECT n, ${EVENT_COLUMNS} FROM prefect_events WHERE n BETWEEN ? AND ? AND n > ? ORDER BY n LIMIT ?`);
  return (record, after, most) => {
    const range = record.action === EVENTS_STORED ? parseStoredRange(record.resource_id) : undefined;
    if (range === undefined) return [];
    return rows.all(range.first, range.last, after, most).map((row) => ({ n: Number(row['n']), event: eventOfRow(row) }));
  };
}
