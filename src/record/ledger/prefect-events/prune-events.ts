// Retention: deletes events with the record that covers them.
import type { DatabaseSync } from 'node:sqlite';
import { EVENTS_STORED, parseStoredRange } from '../events.ts';

/** Call it before the records of this node up to `seq` are deleted, in the same transaction. */
export function createEventPruner(db: DatabaseSync): (node: string, seq: number) => void {
  const ranges = db.prepare(`SELECT resource_id FROM records WHERE node = ? AND seq <= ? AND action = '${EVENTS_STORED}'`);
  const remove = db.prepare('DELETE FROM prefect_events WHERE n BETWEEN ? AND ?');
  return (node, seq) => {
    for (const { resource_id: text } of ranges.all(node, seq)) {
      const range = parseStoredRange(typeof text === 'string' ? text : null);
      if (range !== undefined) remove.run(range.first, range.last);
    }
  };
}
