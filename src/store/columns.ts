// The column that SQLite has in every table; postgres-schema.ts adds it to some tables of Postgres.
import { sql } from 'kysely';

/** It gives the order of insertion, independent of the clock, which may be set back. An upsert does not change it. */
export const byCame = sql<number>`rowid`;
