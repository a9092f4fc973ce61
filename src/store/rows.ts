// Rows of the store for readers beside it: checks and metrics. They change nothing and create nothing.
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { PostgresAddress, StoreAddress } from '../contract/store-address.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface RowReader {
  /** `?` is the place of each value. */
  all(statement: string, ...values: readonly SQLInputValue[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

const BUSY_MS = 2_000;

/** False: no command has created the SQLite file yet. A database of Postgres is there before Lictor. */
export function storeExists(at: StoreAddress): boolean {
  return typeof at !== 'string' || existsSync(at);
}

/** Undefined: there is no store yet. Postgres answers at the first question. */
export async function openRows(at: StoreAddress): Promise<RowReader | undefined> {
  if (!storeExists(at)) return undefined;
  return typeof at === 'string' ? sqliteRows(at) : await postgresRows(at);
}

/** Empty when there is no store or it cannot be read: the check of the store reports that. */
export async function readRows(at: StoreAddress, statement: string, ...values: readonly SQLInputValue[]): Promise<readonly Row[]> {
  let reader: RowReader | undefined;
  try {
    reader = await openRows(at);
    return (await reader?.all(statement, ...values)) ?? [];
  } catch {
    return [];
  } finally {
    await reader?.close();
  }
}

function sqliteRows(file: string): RowReader {
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  return {
    all: async (statement, ...values) => database.prepare(statement).all(...values),
    close: async () => database.close(),
  };
}

async function postgresRows(at: PostgresAddress): Promise<RowReader> {
  const { openPool } = await import('./postgres-pool.ts');
  const pool = openPool(at, 1);
  return {
    async all(statement, ...values) {
      const client = await pool.connect();
      try {
        return (await client.query<Row>(numbered(statement), values)).rows;
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

/** Postgres numbers the places: $1, $2. */
function numbered(statement: string): string {
  let number = 0;
  return statement.replaceAll('?', () => {
    number += 1;
    return `$${number}`;
  });
}
