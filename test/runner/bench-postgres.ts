// The temporary Postgres of `lictor bench --nodes`: the one of the tests, with two empty databases.
import { startPostgres } from '../env/several/postgres.ts';

export interface BenchPostgres {
  readonly stores: readonly [string, string];
  stop(): Promise<void>;
}

export async function startBenchPostgres(): Promise<BenchPostgres> {
  const { database, stop } = await startPostgres();
  return { stores: [`postgres://${await database('one')}`, `postgres://${await database('two')}`], stop };
}
