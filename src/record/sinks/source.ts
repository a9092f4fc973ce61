// Records for a sink, in the order of writing, on a separate read-only connection. No transaction stays open.
import { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from '../ledger/columns.ts';
import { bringToDisk } from '../ledger/on-disk.ts';
import { createRangeReader, type NumberedEvent } from '../ledger/prefect-events/read-events.ts';
import type { Cursor } from './cursor.ts';

export interface Numbered {
  readonly n: number;
  readonly record: LedgerRecord;
}

/** A mismatch between a cursor and the ledger. */
export type Break =
  /** Retention deleted records before the sink got them. */
  | { readonly kind: 'pruned'; readonly missed: number; readonly cursor: Cursor }
  /** The ledger is another one, or an older copy. Sending continues after the time of the last sent record. */
  | { readonly kind: 'replaced'; readonly cursor: Cursor };

export interface Source {
  end(): Cursor;
  /** The place after this record of the node's chain. */
  cursorAt(seq: number): Cursor;
  /** The number of the cursor's record in the chain; 0 before the first one. Undefined: it is not in the ledger. */
  seqOf(cursor: Cursor): number | undefined;
  check(cursor: Cursor): Break | undefined;
  /** The records are on the disk: no power failure takes back a record that a receiver has. */
  after(cursor: Cursor, count: number): readonly Numbered[];
  /** The events of Prefect that a record covers, after that number. */
  eventsOf(record: LedgerRecord, after: number, count: number): readonly NumberedEvent[];
  /** The number of records after the cursor, approximately, and the time of the oldest one. */
  lag(cursor: Cursor): { readonly records: number; readonly oldest: string | null };
  close(): void;
}

export const BEGINNING: Cursor = { n: 0, id: '', time: '' };

const BUSY_MS = 5_000;

export interface SourceParts {
  /** Of several nodes, each sends its own records. Null: all records. */
  readonly node?: string | null;
  readonly toDisk?: (file: string) => void;
}

/** Throws the error of SQLite, for example when there is no ledger yet. */
export function openSource(file: string, { node = null, toDisk = bringToDisk }: SourceParts = {}): Source {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const own = node === null ? '? IS NULL' : 'node = ?';
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE ${own} AND n > ? ORDER BY n LIMIT ?`);
  const at = db.prepare('SELECT id, seq FROM records WHERE n = ?');
  const until = db.prepare('SELECT n, id, time FROM records WHERE node = ? AND seq <= ? ORDER BY seq DESC LIMIT 1');
  const first = db.prepare(`SELECT n, time FROM records WHERE ${own} AND n > ? ORDER BY n LIMIT 1`);
  const last = db.prepare(`SELECT n, id, time FROM records WHERE ${own} ORDER BY n DESC LIMIT 1`);
  const lastUntil = db.prepare(`SELECT n, id, time FROM records WHERE ${own} AND time <= ? ORDER BY time DESC, n DESC LIMIT 1`);

  const end = (): Cursor => cursorOf(last.get(node));

  return {
    end,
    cursorAt: (seq) => cursorOf(until.get(node, seq)),
    seqOf({ n, id }) {
      if (n === 0) return 0;
      const row = at.get(n);
      return row?.['id'] === id ? Number(row['seq']) : undefined;
    },
    check(cursor) {
      if (cursor.n === 0) return undefined;
      const row = at.get(cursor.n);
      if (row !== undefined && row['id'] === cursor.id) return undefined;
      if (row !== undefined || end().n < cursor.n) return { kind: 'replaced', cursor: cursorOf(lastUntil.get(node, cursor.time)) };
      const next = Number(first.get(node, cursor.n)?.['n'] ?? cursor.n + 1);
      const missed = next - cursor.n - 1;
      return missed === 0 ? undefined : { kind: 'pruned', missed, cursor: { ...cursor, n: next - 1 } };
    },
    after({ n }, count) {
      const rows = page.all(node, n, count);
      if (rows.length > 0) toDisk(file);
      return rows.map((row) => ({ n: Number(row['n']), record: recordOfRow(row) }));
    },
    eventsOf: createRangeReader(db),
    lag({ n }) {
      const oldest = first.get(node, n);
      return { records: Math.max(0, end().n - n), oldest: oldest === undefined ? null : String(oldest['time']) };
    },
    close: () => db.close(),
  };
}

function cursorOf(row: Readonly<Record<string, unknown>> | undefined): Cursor {
  return row === undefined ? BEGINNING : { n: Number(row['n']), id: String(row['id']), time: String(row['time']) };
}
