// The database as the parts of the store use it.
import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export interface Database {
  /** For single reads. Never waits for a writer. */
  readonly read: Kysely<Tables>;
  /** The same for a prepared query, without the time that Kysely takes for each query. */
  select<Row>(query: CompiledQuery<Row>): readonly Row[];
  /** A transaction that may be lost in a power cut: last seen, login attempts. */
  write<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** A transaction that is on the disk when it resolves: a revocation must survive a power cut. */
  durably<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
