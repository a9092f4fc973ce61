// All rows of a Postgres store at one moment. Only a backup loads this file.
import type { PostgresAddress } from '../contract/store-address.ts';
import { openPool } from './postgres-pool.ts';
import { ORDERED } from './postgres-schema.ts';
import type { TableRows, Value } from './sqlite-rows.ts';
import { STORE_TABLES } from './tables.ts';

const ROWS_AT_ONCE = 200;

type Row = Readonly<Record<string, Value>>;

/** In the order in which they came, from one snapshot. */
export async function* readPostgresRows(at: PostgresAddress): AsyncGenerator<TableRows> {
  const pool = openPool(at, 1);
  const client = await pool.connect();
  const query = async (text: string): Promise<readonly Row[]> => (await client.query<Row>(text, [])).rows;
  try {
    await query('begin isolation level repeatable read, read only');
    for (const table of STORE_TABLES) {
      await query(`declare each no scroll cursor for select * from ${table}${ORDERED.includes(table) ? ' order by rowid' : ''}`);
      for (let rows = await query(`fetch ${ROWS_AT_ONCE} from each`); rows.length > 0; rows = await query(`fetch ${ROWS_AT_ONCE} from each`))
        yield tableRows(table, rows);
      await query('close each');
    }
  } finally {
    // Ends the transaction too.
    client.release(true);
    await pool.end();
  }
}

/** `rowid` is a column of some tables here. */
function tableRows(table: string, rows: readonly Row[]): TableRows {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => name !== 'rowid');
  return { table, columns, rows: rows.map((row) => columns.map((column) => row[column] ?? null)) };
}
