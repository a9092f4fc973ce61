// Records that a run's page in Prefect should show, by their place: written in the transaction of the record, so that a killed gateway owes what it has not told.
import { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';

/** `k` is never used twice. */
export const OUTBOX_TABLE = 'CREATE TABLE notable (k INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL) STRICT;';

/** They are news: while Prefect is away for long, the oldest are let go. */
export const MOST_OWED = 10_000;

export interface Outbox {
  /** The record that was written last, in the same transaction. */
  add(): void;
  trim(): void;
}

export function createOutbox(db: DatabaseSync): Outbox {
  const add = db.prepare('INSERT INTO notable (n) SELECT max(n) FROM records');
  const trim = db.prepare('DELETE FROM notable WHERE k <= (SELECT max(k) FROM notable) - ?');
  return { add: () => void add.run(), trim: () => void trim.run(MOST_OWED) };
}

export interface Owed {
  readonly k: number;
  /** Null: retention let it go. */
  readonly record: LedgerRecord | null;
}

export interface OutboxReader {
  /** In the order in which they were written. */
  after(k: number, count: number): readonly Owed[];
  /** Which record has this place. Undefined: none, or it is gone. */
  idAt(k: number): string | undefined;
  /** The last place; 0: there is none. */
  end(): number;
  close(): void;
}

/** On a connection of its own; no transaction stays open. Throws what SQLite throws: there may be no ledger yet. */
export function openOutboxReader(ledgerFile: string): OutboxReader {
  const db = new DatabaseSync(ledgerFile, { readOnly: true, timeout: 2_000 });
  const page = db.prepare(`SELECT k, ${SELECT_COLUMNS} FROM notable LEFT JOIN records USING (n) WHERE k > ? ORDER BY k LIMIT ?`);
  const at = db.prepare('SELECT id FROM notable JOIN records USING (n) WHERE k = ?');
  const last = db.prepare('SELECT max(k) AS k FROM notable');
  return {
    after: (k, count) => page.all(k, count).map((row) => ({ k: Number(row['k']), record: row['id'] === null ? null : recordOfRow(row) })),
    idAt(k) {
      const id = at.get(k)?.['id'];
      return typeof id === 'string' ? id : undefined;
    },
    end: () => Number(last.get()?.['k'] ?? 0),
    close: () => db.close(),
  };
}
