// The rows of an SQLite database, whatever its tables: how a backup reads and writes them. A page image would copy indexes, triggers and views too.
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type Value = string | number | null;

/** Some rows of one table. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

const ROWS_AT_ONCE = 200;

/** In the order in which they came. Call it within one transaction: it is a snapshot then. */
export function* readRows(db: DatabaseSync, tables: readonly string[]): Generator<TableRows> {
  for (const table of tables) {
    // An index that has every column would give another order.
    const statement = db.prepare(`SELECT * FROM "${table}" NOT INDEXED`);
    const columns = statement.columns().map(({ name }) => name);
    statement.setReturnArrays(true);
    let rows: (readonly Value[])[] = [];
    for (const row of statement.iterate()) {
      rows.push(valuesOf(row, table));
      if (rows.length < ROWS_AT_ONCE) continue;
      yield { table, columns, rows };
      rows = [];
    }
    if (rows.length > 0) yield { table, columns, rows };
  }
}

/** Answers a function that adds rows. It throws for a table that is not named, and the errors of SQLite. */
export function createRowWriter(db: DatabaseSync, tables: readonly string[]): (rows: TableRows) => void {
  const statements = new Map<string, StatementSync>();
  return ({ table, columns, rows }) => {
    if (!tables.includes(table) || !columns.every((column) => /^\w+$/.test(column))) throw new TypeError(`${table} is no table of this database`);
    const names = columns.map((column) => `"${column}"`);
    const text = `INSERT INTO "${table}" (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    const insert = statements.get(text) ?? db.prepare(text);
    statements.set(text, insert);
    for (const row of rows) insert.run(...row);
  };
}

function valuesOf(row: unknown, table: string): readonly Value[] {
  if (Array.isArray(row) && row.every(isValue)) return row;
  throw new TypeError(`the table ${table} has a value that is neither text nor a number`);
}

function isValue(value: unknown): value is Value {
  return value === null || typeof value === 'string' || typeof value === 'number';
}
