// Connections to Postgres, reused and bounded.
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { type PostgresAddress, shownAddress } from '../contract/store-address.ts';
import { assertPrimary, connectionOf, hostAfter, hostsOf } from './postgres-connection.ts';
import { inWords, isBroken } from './postgres-errors.ts';

/** Its errors are in words, and a connection that is of no further use does not return to it. */
export function openPool(at: PostgresAddress, max: number): PostgresPool {
  const store = shownAddress(at);
  const hosts = hostsOf(at);
  const pool = new pg.Pool({ ...connectionOf(at), max, idleTimeoutMillis: 30_000, ...(hosts.length > 1 && { verify }) });
  // An idle connection that ends: the next use opens another one.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const rethrow = (error: unknown): never => {
    throw inWords(store, error);
  };
  /** Tries each host once, beginning with the last one that worked. */
  async function connect(): Promise<pg.PoolClient> {
    for (let tries = 1; ; tries += 1) {
      const { host } = pool.options;
      try {
        return await pool.connect();
      } catch (error) {
        // Another connection may have moved on meanwhile.
        if (pool.options.host === host) pool.options.host = hostAfter(hosts, host);
        if (tries >= hosts.length) throw error;
      }
    }
  }
  return {
    options: pool.options,
    connect: async () => guarded(await connect().catch(rethrow), rethrow),
    end: () => pool.end(),
  };
}

function verify(client: pg.PoolClient, done: (error?: Error) => void): void {
  assertPrimary(client).then(() => done(), done);
}

function guarded(client: pg.PoolClient, rethrow: (error: unknown) => never): PostgresPoolClient {
  let broken: Error | undefined;
  async function query(text: unknown, values: readonly unknown[] = []): Promise<unknown> {
    if (broken !== undefined) return rethrow(broken);
    try {
      return await client.query(String(text), values.map(storable));
    } catch (error) {
      if (isBroken(error) && error instanceof Error) broken = error;
      return rethrow(error);
    }
  }
  return {
    // Kysely's cursors are not used.
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(broken ?? destroy),
  };
}

/** Postgres has no text with U+0000. Lictor replaces it, as Node does with other characters that UTF-8 does not have. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}
