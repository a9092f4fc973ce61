// A row of the ledger as text in the store.
import { parseEventLine } from '../ledger/chain/event-lines.ts';
import { type ForeignRow, refused } from '../ledger/chain/import.ts';

export function bodyOf({ record, events }: ForeignRow): string {
  return JSON.stringify({ record, events });
}

/** Throws `replication-refused`. Not checked here: the content of the record, which its hash covers. */
export function rowOfBody(node: string, seq: number, body: string): ForeignRow {
  const row = parse(body);
  const isRow = typeof row?.record === 'object' && row.record !== null && Array.isArray(row.events);
  const isWhole = isRow && row.events.every((event) => parseEventLine({ prefect_event: event }) !== undefined);
  if (row === undefined || !isWhole) throw refused(node, `record ${seq} in the store cannot be read`);
  return row;
}

function parse(body: string): ForeignRow | undefined {
  try {
    return JSON.parse(body) as ForeignRow;
  } catch {
    return undefined;
  }
}
