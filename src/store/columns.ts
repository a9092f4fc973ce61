// The column that every table has without declaring it.
import { sql } from 'kysely';

/** It gives the order of insertion, independent of the clock, which may be set back. An upsert does not change it. */
export const byCame = sql<number>`rowid`;
