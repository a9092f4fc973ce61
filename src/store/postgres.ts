// Kysely on Postgres. Only `store: postgres://…` loads this file: SQLite needs no part of it.
import { setTimeout as pause } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  sql,
  type Transaction,
  type TransactionSettings,
} from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import { type PostgresAddress, shownAddress } from '../contract/store-address.ts';
import type { OpenedDatabase, Select } from './database.ts';
import { correctedClock } from './postgres-clock.ts';
import { STATEMENT_MS } from './postgres-connection.ts';
import { inWords, isRepeatable } from './postgres-errors.ts';
import { openPool } from './postgres-pool.ts';
import { preparePostgresTables } from './postgres-schema.ts';
import { assertStillShared, planOf, type StorePlan, type StoreProgram, THIS_PROGRAM, VERSION_TABLE } from './postgres-versions.ts';
import { createRemembered, type Remembered } from './remembered.ts';
import type { Tables } from './tables.ts';

const OLDEST_VERSION = 14;

export interface PostgresParts {
  readonly at: PostgresAddress;
  readonly clock: Clock;
  /** The most connections at once. */
  readonly connections: number;
  /** Only tests have another one. */
  readonly program?: StoreProgram | undefined;
}

/**
 * Connects, and creates the tables in a new database, or changes those of an older release. Throws `store-unreachable`, `store-password`,
 * `store-rights`, `store-read-only`, `store-too-old`, `store-foreign`, `store-unusable`, or as `applyChanges`, each with the remedy: then nothing was
 * changed.
 */
export async function openPostgres({ at, clock, connections, program = THIS_PROGRAM }: PostgresParts): Promise<OpenedDatabase> {
  const db = kyselyOn(at, connections);
  try {
    await assertUsable(db, shownAddress(at));
    await preparePostgresTables(db, program);
    const time = await correctedClock(db, clock);
    return {
      ...databaseOn(db),
      clock: time.clock,
      assertUsable: (transaction) => assertStillShared(transaction, program),
      close: () => time.stop().finally(() => db.destroy()),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

export interface ExaminedPostgres extends StorePlan {
  /** Of Postgres. */
  readonly server: number;
  /** The shared keys, sealed, by name. Empty: no node has started. */
  readonly keys: ReadonlyMap<string, string>;
}

/** Reads only. Throws as `openPostgres`. */
export async function examinePostgres(at: PostgresAddress, program = THIS_PROGRAM): Promise<ExaminedPostgres> {
  const db = kyselyOn(at, 1);
  try {
    const server = await assertUsable(db, shownAddress(at));
    const plan = await planOf(db, program);
    const rows = plan.version === 0 ? [] : await db.selectFrom('shared_keys').select(['name', 'sealed']).execute();
    return { ...plan, server, keys: new Map(rows.map(({ name, sealed }) => [name, sealed])) };
  } finally {
    await db.destroy();
  }
}

function kyselyOn(at: PostgresAddress, connections: number): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new SerializableDialect({ pool: openPool(at, connections) }) });
}

function databaseOn(db: Kysely<Tables>): Omit<OpenedDatabase, 'clock' | 'close' | 'assertUsable'> {
  const remembered = createRemembered();
  return {
    read: db,
    select: forgetting(remembered, selectOn(db)),
    remembered,
    write: (work) => repeated(db, (transaction) => work(transaction, selectOn(transaction))),
    durably: (work) =>
      repeated(db, async (transaction) => {
        await sql`set local synchronous_commit = on`.execute(transaction);
        return await work(transaction);
      }).finally(remembered.forget),
  };
}

function forgetting({ forget }: Remembered, select: Select): Select {
  return async (query) => {
    try {
      return await select(query);
    } catch (error) {
      forget();
      throw error;
    }
  };
}

function selectOn(db: Kysely<Tables> | Transaction<Tables>): Select {
  return async (query) => (await db.executeQuery(query)).rows;
}

const MOST_REPEATS = 9;
const LONGEST_PAUSE_MS = 200;

type Work<T> = (transaction: Transaction<Tables>) => Promise<T>;

/**
 * Postgres undoes a transaction that has seen what another one has changed meanwhile. Every second attempt runs alone, so it succeeds, unless a node that
 * is slow or hangs has a transaction open: then it does not wait for that node for long.
 */
async function repeated<T>(db: Kysely<Tables>, work: Work<T>): Promise<T> {
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await (repeats % 2 === 0 ? db.transaction().execute(work) : alone(db, work));
    } catch (error) {
      if (!isRepeatable(error) || repeats === MOST_REPEATS) throw error;
    }
    await pause(Math.random() * Math.min(2 ** repeats, LONGEST_PAUSE_MS));
  }
}

async function alone<T>(db: Kysely<Tables>, work: Work<T>): Promise<T> {
  return await db
    .transaction()
    .setIsolationLevel('serializable')
    .execute(async (transaction) => {
      await transaction.executeQuery(ALONE);
      return await work(transaction);
    });
}

interface Server {
  readonly version: number;
  readonly standby: number;
  readonly read_only: string;
}

async function assertUsable(db: Kysely<Tables>, store: string): Promise<number> {
  const { rows } = await sql<Server>`select current_setting('server_version_num')::int / 10000 as version, pg_is_in_recovery() as standby,
    current_setting('transaction_read_only') as read_only`.execute(db);
  const [server] = rows;
  if (server === undefined || server.version < OLDEST_VERSION) {
    const found = server === undefined ? 'no Postgres' : `Postgres ${server.version}`;
    throw new LictorError('store-too-old', `The store ${store} is ${found}, and Lictor needs ${OLDEST_VERSION} or newer: upgrade the server.`);
  }
  if (server.standby === 1 || server.read_only === 'on') throw inWords(store, Object.assign(new Error('read-only'), { code: '25006' }));
  return server.version;
}

/** Postgres ends what hangs, also where this process hangs or is cut off in the middle. */
const LIMITS = `set local synchronous_commit = off; set local statement_timeout = ${STATEMENT_MS}; set local idle_in_transaction_session_timeout = ${STATEMENT_MS}`;
/** One round trip. The lock is shared by all but those that run alone. */
const BEGIN = CompiledQuery.raw(`begin isolation level serializable; lock table ${VERSION_TABLE} in row share mode; ${LIMITS}`);
/** To take the lock before the transaction sees anything: it then sees what all others have changed. */
const ALONE = CompiledQuery.raw(`set local lock_timeout = 1000; lock table ${VERSION_TABLE} in exclusive mode; ${LIMITS}`);

class SerializableDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver() {
    return new SerializableDriver(this.#config);
  }
}

class SerializableDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (settings.isolationLevel === undefined) await connection.executeQuery(BEGIN);
    else await super.beginTransaction(connection, settings);
  }
}
