// Rows of a database of the state directory, for checks that read only.
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';

/** Empty when the file is missing or cannot be read: the check of the store reports that. */
export function readRows(file: string, sql: string, ...values: readonly SQLInputValue[]): readonly Record<string, SQLOutputValue>[] {
  if (!existsSync(file)) return [];
  try {
    using database = new DatabaseSync(file, { readOnly: true });
    return database.prepare(sql).all(...values);
  } catch {
    return [];
  }
}
