// Reads the events that a record covers, a part at a time, for sinks.
import type { DatabaseSync } from 'node:sqlite';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVENTS_STORED, parseStoredRange } from '../events.ts';
import { EVENT_COLUMNS, eventOfRow, hasEvents } from './table.ts';

export interface NumberedEvent {
  readonly n: number;
  readonly event: PrefectEvent;
}

/** At most `most` events after number `after`, in their order. Empty after retention deleted them. */
export function createRangeReader(db: DatabaseSync): (record: LedgerRecord, after: number, most: number) => readonly NumberedEvent[] {
  if (!hasEvents(db)) return () => [];
  const rows = db.prepare(`SELECT n, ${EVENT_COLUMNS} FROM prefect_events WHERE n BETWEEN ? AND ? AND n > ? ORDER BY n LIMIT ?`);
  return (record, after, most) => {
    const range = record.action === EVENTS_STORED ? parseStoredRange(record.resource_id) : undefined;
    if (range === undefined) return [];
    return rows.all(range.first, range.last, after, most).map((row) => ({ n: Number(row['n']), event: eventOfRow(row) }));
  };
}
