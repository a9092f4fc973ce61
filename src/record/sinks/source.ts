// Records for a sink in the order in which they were written, on a connection of its own. Reads only; no transaction stays open.
import { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from '../ledger/columns.ts';
import { bringToDisk } from '../ledger/on-disk.ts';
import { createRangeReader, type NumberedEvent } from '../ledger/prefect-events/read-range.ts';
import type { Cursor } from './cursor.ts';

export interface Numbered {
  readonly n: number;
  readonly record: LedgerRecord;
}

/** What is wrong between a cursor and the ledger; undefined: nothing. */
export type Break =
  /** Retention let go of records that were not sent yet. */
  | { readonly kind: 'pruned'; readonly missed: number; readonly cursor: Cursor }
  /** It is another ledger, or an older one that was put back: sending goes on behind the time of the last record that was sent. */
  | { readonly kind: 'replaced'; readonly cursor: Cursor };

export interface Source {
  /** The place of the newest record. */
  end(): Cursor;
  check(cursor: Cursor): Break | undefined;
  /** They are on the disk: no power failure takes back, and numbers anew, what a receiver has. */
  after(cursor: Cursor, count: number): readonly Numbered[];
  /** Of the events of Prefect of which a record speaks, those behind that number. */
  eventsOf(record: LedgerRecord, after: number, count: number): readonly NumberedEvent[];
  /** How many records are behind the cursor, about; and the time of the oldest of them. */
  lag(cursor: Cursor): { readonly records: number; readonly oldest: string | null };
  close(): void;
}

export const BEGINNING: Cursor = { n: 0, id: '', time: '' };

const BUSY_MS = 5_000;

/** Throws what SQLite throws: there may be no ledger yet. */
export function openSource(file: string, toDisk = bringToDisk): Source {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE n > ? ORDER BY n LIMIT ?`);
  const at = db.prepare('SELECT id FROM records WHERE n = ?');
  const first = db.prepare('SELECT n, time FROM records WHERE n > ? ORDER BY n LIMIT 1');
  const last = db.prepare('SELECT n, id, time FROM records ORDER BY n DESC LIMIT 1');
  const lastUntil = db.prepare('SELECT n, id, time FROM records WHERE time <= ? ORDER BY time DESC, n DESC LIMIT 1');

  const end = (): Cursor => cursorOf(last.get());

  return {
    end,
    check(cursor) {
      if (cursor.n === 0) return undefined;
      const row = at.get(cursor.n);
      if (row !== undefined && row['id'] === cursor.id) return undefined;
      if (row !== undefined || end().n < cursor.n) return { kind: 'replaced', cursor: cursorOf(lastUntil.get(cursor.time)) };
      const next = Number(first.get(cursor.n)?.['n'] ?? cursor.n + 1);
      const missed = next - cursor.n - 1;
      return missed === 0 ? undefined : { kind: 'pruned', missed, cursor: { ...cursor, n: next - 1 } };
    },
    after({ n }, count) {
      const rows = page.all(n, count);
      if (rows.length > 0) toDisk(file);
      return rows.map((row) => ({ n: Number(row['n']), record: recordOfRow(row) }));
    },
    eventsOf: createRangeReader(db),
    lag({ n }) {
      const oldest = first.get(n);
      return { records: Math.max(0, end().n - n), oldest: oldest === undefined ? null : String(oldest['time']) };
    },
    close: () => db.close(),
  };
}

function cursorOf(row: Readonly<Record<string, unknown>> | undefined): Cursor {
  return row === undefined ? BEGINNING : { n: Number(row['n']), id: String(row['id']), time: String(row['time']) };
}
