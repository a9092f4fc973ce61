// The column that every table has without declaring it.
import { sql } from 'kysely';

/** In it rows are in the order in which they came, whatever the clock said of each: it may have been put back. An upsert keeps its place. */
export const byCame = sql<number>`rowid`;
