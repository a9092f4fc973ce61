// What steps of the schema say of a column, and the one that every table has unasked.
import { sql } from 'kysely';

/** In it rows are in the order in which they came, whatever the clock said of each: it may have been put back. An upsert keeps its place. */
export const byCame = sql<number>`rowid`;

interface Column {
  notNull(): this;
  primaryKey(): this;
}

export function notNull<C extends Column>(column: C): C {
  return column.notNull();
}

export function primaryKey<C extends Column>(column: C): C {
  return column.primaryKey().notNull();
}
