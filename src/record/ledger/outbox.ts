// References to the records that Prefect should show on a run's page, written in the same transaction. So a killed gateway sends them after its restart.
import { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from './columns.ts';

/** `k` is never used twice. */
export const OUTBOX_TABLE = 'CREATE TABLE notable (k INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL) STRICT;';

/** While Prefect is away for long, the oldest references are deleted. */
export const MOST_OWED = 10_000;

export interface Outbox {
  /** Adds the last record of this transaction. */
  add(): void;
  trim(): void;
}

export function createOutbox(db: DatabaseSync): Outbox {
  const add = db.prepare('INSERT INTO notable (n) SELECT max(n) FROM records');
  const trim = db.prepare('DELETE FROM notable WHERE k <= (SELECT max(k) FROM notable) - ?');
  return { add: () => void add.run(), trim: () => void trim.run(MOST_OWED) };
}

export interface OutboxEntry {
  readonly k: number;
  /** Null: retention deleted it. */
  readonly record: LedgerRecord | null;
}

export interface OutboxReader {
  /** In the order of writing. */
  after(k: number, count: number): readonly OutboxEntry[];
  /** The id of the record at this position. Undefined: none, or it is deleted. */
  idAt(k: number): string | undefined;
  /** The last position; 0: none. */
  end(): number;
  close(): void;
}

/** Uses a separate connection; no transaction stays open. Throws the error of SQLite, for example when there is no ledger yet. */
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
