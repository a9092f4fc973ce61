// The database as the parts of the store use it.
import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Remembered } from './remembered.ts';
import type { Tables } from './tables.ts';

/** Runs a prepared query, without the time that Kysely takes for each query. */
export type Select = <Row>(query: CompiledQuery<Row>) => Promise<readonly Row[]>;

/** Transactions see no part of another one. `work` may run several times, so it changes nothing but the database. */
export interface Database {
  /** For single reads. Never waits for a writer. */
  readonly read: Kysely<Tables>;
  readonly select: Select;
  /** Left out where a read costs microseconds. */
  readonly remembered?: Remembered;
  /** A transaction that may be lost in a power cut: last seen, login attempts. `run` is for prepared queries in it. */
  write<T>(work: (transaction: Transaction<Tables>, run: Select) => Promise<T>): Promise<T>;
  /** A transaction that is on the disk when it resolves: a revocation must survive a power cut. */
  durably<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A database with its tables. */
export interface OpenedDatabase extends Database {
  /** The time of the parts of the store. */
  readonly clock: Clock;
  /** A newer release may have changed the tables since they were opened. Throws `state-newer`. */
  assertUsable(transaction: Transaction<Tables>): Promise<void>;
}
