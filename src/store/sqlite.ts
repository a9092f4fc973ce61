// Kysely on node:sqlite: opening the file safely, and the adapter and driver that Kysely's own SqliteDialect wants.
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
  sql,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { diskTrouble, isLocked } from '../contract/disk.ts';
import { LictorError } from '../contract/error.ts';
import type { Database, Select } from './database.ts';
import type { Tables } from './tables.ts';

/** A command holds the write lock for milliseconds; only a hung process holds it for longer. */
const BUSY_TIMEOUT_MS = 5000;
/** A write waits without blocking, and for longer than the supervisor needs to end a control plane that hangs (supervise/heartbeat.ts). */
const WRITE_TIMEOUT_MS = 15_000;
const RETRY_MS = 5;

/**
 * Opens or creates the file (0600, WAL). Throws `store-unusable` with the remedy if it is no usable database. Transactions throw
 * `store-unwritable` if the disk rejects the write. With two connections, a reader never waits for a writer of any process.
 */
export function openSqlite(file: string): Database {
  try {
    createPrivately(file);
    const readerFile = open(file, BUSY_TIMEOUT_MS);
    const reader = kyselyOn(readerFile);
    // `PatientDriver` waits itself.
    const writerFile = open(file, 0);
    const writer = kyselyOn(writerFile);
    const run = selectOn(writerFile);
    const inWords = (cause: unknown) => throwUnwritten(file, cause);
    return {
      read: reader,
      select: selectOn(readerFile),
      write: (work) =>
        writer
          .transaction()
          .execute((transaction) => work(transaction, run))
          .catch(inWords),
      durably: (work) =>
        writer
          .connection()
          .execute(async (connection) => {
            await sql`pragma synchronous = full`.execute(connection);
            try {
              return await connection.transaction().execute(work);
            } finally {
              await sql`pragma synchronous = normal`.execute(connection);
            }
          })
          .catch(inWords),
      async close() {
        await Promise.all([reader.destroy(), writer.destroy()]);
      },
    };
  } catch (cause) {
    throw new LictorError('store-unusable', `The store ${file} cannot be opened: check that it is a Lictor store, its owner and the disk space.`, { cause });
  }
}

/** A transaction is complete or has no effect, also on a full disk. */
function throwUnwritten(file: string, cause: unknown): never {
  const trouble = diskTrouble(cause);
  if (trouble === undefined) throw cause;
  throw new LictorError('store-unwritable', `Nothing was changed: the store ${file} cannot be written. ${trouble}`, { cause });
}

/** Runs before SQLite opens the file, so that other users can never read it. The write-ahead log gets the mode of the file. */
function createPrivately(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

function open(file: string, timeout: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout, enableForeignKeyConstraints: true });
  switchToWal(database);
  database.exec('pragma synchronous = normal');
  return database;
}

function kyselyOn(database: DatabaseSync): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PatientDialect(database) });
}

/**
 * The file stores the mode, so it changes only once. The change needs exclusive access and ignores the busy timeout: if several
 * processes open a new file at once, one of them changes the mode and the others look again.
 */
function switchToWal(database: DatabaseSync): void {
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      if (database.prepare('pragma journal_mode').get()?.['journal_mode'] !== 'wal') database.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (!isLocked(error) || waitedMs >= BUSY_TIMEOUT_MS) throw error;
      Atomics.wait(pulse, 0, 0, RETRY_MS);
    }
  }
}

class PatientDialect extends SqliteDialect {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: adapt(database) });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new PatientDriver(this.#database);
  }
}

/**
 * Takes the write lock at once: a transaction that reads first fails with SQLITE_BUSY_SNAPSHOT when another process
 * wrote in between. Waits for the lock without blocking the event loop, which SQLite's own busy timeout would.
 */
class PatientDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: adapt(database) });
    this.#database = database;
  }

  override async beginTransaction(): Promise<void> {
    const deadlineMs = performance.now() + WRITE_TIMEOUT_MS;
    while (!tryBegin(this.#database, performance.now() > deadlineMs)) await pause(RETRY_MS);
  }

  /** SQLite rolls back by itself where the disk is full or fails; a second time is an error, which would hide the first. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** False if another connection writes. On the last try, throws that error. */
function tryBegin(database: DatabaseSync, lastTry: boolean): boolean {
  try {
    database.exec('begin immediate');
    return true;
  } catch (error) {
    if (!lastTry && isLocked(error)) return false;
    throw error;
  }
}

/** The store has few statements. The bound only limits the memory in case of a mistake. */
const CACHED_STATEMENTS = 200;

function adapt(database: DatabaseSync): SqliteDatabase {
  // Preparing costs more than most statements here. SQLite prepares one again by itself when the schema has changed.
  const cached = new LRUCache<string, SqliteStatement>({ max: CACHED_STATEMENTS, memoMethod: (text) => adaptStatement(database.prepare(text)) });
  return {
    close: () => database.close(),
    prepare: (text) => cached.memo(text),
  };
}

function selectOn(database: DatabaseSync): Select {
  const { prepare } = adapt(database);
  return async <Row>({ sql: text, parameters }: CompiledQuery<Row>) => prepare(text).all(parameters) as Row[];
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(toInput)),
    run: (parameters) => statement.run(...parameters.map(toInput)),
    iterate: (parameters) => statement.iterate(...parameters.map(toInput)),
  };
}

function toInput(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  throw new TypeError(`the store binds text, numbers and null, not ${typeof value}`);
}
