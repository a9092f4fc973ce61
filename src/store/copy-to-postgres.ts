// Copies an SQLite store into a new one on Postgres, in one transaction, and compares both.
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import { type PostgresAddress, shownAddress } from '../contract/store-address.ts';
import { openSqliteDump } from './dump.ts';
import { GONE_AFTER_MS } from './nodes.ts';
import { openPostgres } from './postgres.ts';
import { VERSION_TABLE } from './postgres-versions.ts';
import type { TableRows, Value } from './sqlite-rows.ts';
import type { Tables } from './tables.ts';
import { SCHEMA_TABLES, STORE_TABLES } from './tables.ts';

export interface StoreCopy {
  /** The SQLite file. */
  readonly from: string;
  readonly to: PostgresAddress;
  /** Default: rows that are there already are an error. */
  readonly former?: 'rejected' | 'replaced';
  /** Rows copied and compared so far. */
  readonly onProgress: (rows: number) => void;
}

export interface Copied {
  /** False: Postgres had the same rows already. */
  readonly isNew: boolean;
  readonly tables: readonly CountedTable[];
}

export interface CountedTable {
  readonly table: string;
  readonly rows: number;
  /** Of all rows, whatever their order. */
  readonly digest: string;
}

/**
 * After an abort nothing has changed, so it can be called again. Throws `store-not-empty` for other rows, `store-in-use` if
 * a node uses rows that it replaces, and as `openPostgres`.
 */
export async function copyToPostgres({ from, to, former = 'rejected', onProgress }: StoreCopy): Promise<Copied> {
  const database = await openPostgres({ at: to, clock: systemClock, connections: 1 });
  try {
    return await database.read
      .transaction()
      .setIsolationLevel('serializable')
      .execute(async (db) => {
        await sql`lock table ${sql.table(VERSION_TABLE)} in exclusive mode`.execute(db);
        if (former === 'replaced') await removeAll(db, to);
        using dump = openSqliteDump(from);
        const progress = counter(onProgress);
        const isNew = await isEmpty(db);
        if (isNew) await sql`delete from change_number`.execute(db);
        const source = digests();
        for (const rows of dump.rows()) {
          const stored = { ...rows, rows: rows.rows.map((row) => row.map(storable)) };
          source.add(stored);
          if (isNew) await addRows(db, stored);
          progress(rows.rows.length);
        }
        const tables = source.all();
        const target = await readBack(db, source.columns(), progress);
        if (JSON.stringify(tables) === JSON.stringify(target)) return { isNew, tables };
        throw new LictorError(isNew ? 'store-copy-differs' : 'store-not-empty', whyNot(isNew, shownAddress(to)));
      });
  } finally {
    await database.close();
  }
}

async function removeAll(db: Kysely<Tables>, to: PostgresAddress): Promise<void> {
  const live = db
    .selectFrom('nodes')
    .select('name')
    .where('seen_ms', '>', sql<number>`extract(epoch from now()) * 1000 - ${sql.lit(GONE_AFTER_MS)}`);
  const names = (await live.orderBy('name').execute()).map(({ name }) => name);
  if (names.length > 0) {
    const message = `Nothing was changed: these nodes use the store ${shownAddress(to)}: ${names.join(', ')}. Stop them, wait ten seconds, and try again.`;
    throw new LictorError('store-in-use', message);
  }
  await sql`truncate ${sql.join(SCHEMA_TABLES.map((table) => sql.table(table)))}`.execute(db);
}

function whyNot(isNew: boolean, store: string): string {
  if (isNew) return `Nothing was changed: Postgres gave other rows back than it got: check the disk and the version of ${store}.`;
  return `Nothing was changed: ${store} has other rows already. Name a new database, or remove the tables of this one.`;
}

/** As every parameter of the store: Postgres has no text with U+0000. */
function storable(value: Value): Value {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}

function counter(onProgress: (rows: number) => void): (more: number) => void {
  let rows = 0;
  return (more) => {
    rows += more;
    onProgress(rows);
  };
}

/** A new store has one row: its change number. */
async function isEmpty(db: Kysely<Tables>): Promise<boolean> {
  for (const table of [...STORE_TABLES.filter((name) => name !== 'change_number'), 'ledger_records']) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db);
    if (rows.length > 0) return false;
  }
  return true;
}

/** One parameter for all rows, in their order. */
async function addRows(db: Kysely<Tables>, { table, columns, rows }: TableRows): Promise<void> {
  const objects = rows.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const values = sql`json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(objects)}::json)`;
  await sql`insert into ${sql.table(table)} (${names}) select ${names} from ${values}`.execute(db);
}

const ROWS_AT_ONCE = 1_000;

async function readBack(
  db: Kysely<Tables>,
  columns: ReadonlyMap<string, readonly string[]>,
  progress: (more: number) => void,
): Promise<readonly CountedTable[]> {
  const found = digests();
  for (const table of STORE_TABLES) {
    const names = columns.get(table);
    const list = names === undefined ? sql`*` : sql.join(names.map((column) => sql.ref(column)));
    await sql`declare copied no scroll cursor for select ${list} from ${sql.table(table)}`.execute(db);
    for (;;) {
      const { rows } = await sql<Readonly<Record<string, Value>>>`fetch ${sql.lit(ROWS_AT_ONCE)} from copied`.execute(db);
      if (rows.length === 0) break;
      found.add({ table, columns: names ?? [], rows: rows.map((row) => Object.values(row)) });
      progress(rows.length);
    }
    await sql`close copied`.execute(db);
  }
  return found.all();
}

/** Each row is there once, so the digests of rows can be joined by XOR. */
function digests() {
  const sums = new Map(STORE_TABLES.map((table) => [table, { rows: 0, digest: Buffer.alloc(32) }]));
  const columns = new Map<string, readonly string[]>();
  return {
    columns: () => columns,
    add({ table, columns: names, rows }: TableRows): void {
      const sum = sums.get(table);
      if (sum === undefined) return;
      columns.set(table, names);
      for (const row of rows) {
        const digest = createHash('sha256').update(JSON.stringify(row)).digest();
        for (const [index, byte] of digest.entries()) sum.digest[index] = (sum.digest[index] ?? 0) ^ byte;
      }
      sum.rows += rows.length;
    },
    all: (): readonly CountedTable[] => [...sums].map(([table, { rows, digest }]) => ({ table, rows, digest: digest.toString('hex') })),
  };
}
