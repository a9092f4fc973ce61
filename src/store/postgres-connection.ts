// How Lictor connects to a database of Postgres: address, password, TLS and the times after which it gives up.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import pg, { type ClientConfig } from 'pg';
import { LictorError } from '../contract/error.ts';
import type { PostgresAddress } from '../contract/store-address.ts';

/** A store that hangs is an error within seconds. */
export const CONNECT_MS = 5_000;
export const STATEMENT_MS = 5_000;

/** Several, separated by commas, are a primary and its standbys. */
export function hostsOf({ url }: Pick<PostgresAddress, 'url'>): readonly string[] {
  const { hostname, searchParams } = new URL(url);
  return (searchParams.get('host') ?? hostname.replace(/^\[(.*)\]$/, '$1')).split(',');
}

/** The one to try after `host` failed. */
export function hostAfter(hosts: readonly string[], host: string | undefined): string {
  return hosts[(hosts.indexOf(host ?? '') + 1) % hosts.length] ?? '';
}

export const STANDBY = 'the server is a standby';

/** Rejects for a standby. */
export async function assertPrimary(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ readonly standby: number }>('select pg_is_in_recovery()::int as standby');
  if (rows[0]?.standby !== 0) throw new Error(STANDBY);
}

export function connectionOf({ url, passwordFile }: PostgresAddress): ClientConfig {
  const { username, password, port, pathname, searchParams } = new URL(url);
  const secret = passwordFile === null ? decodeURIComponent(password) : () => passwordIn(passwordFile);
  return {
    host: hostsOf({ url })[0] ?? '',
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    // Without one, pg reads PGPASSWORD, then the file that PGPASSFILE names.
    ...(secret !== '' && { password: secret }),
    database: decodeURIComponent(pathname.slice(1)),
    // Never left out: pg would read PGSSLMODE.
    ssl: searchParams.get('sslmode') === 'verify-full' ? tlsOf(searchParams.get('sslrootcert')) : false,
    application_name: 'lictor',
    connectionTimeoutMillis: CONNECT_MS,
    // In this process; `set local` limits them in Postgres. PgBouncer rejects a limit at the start of a connection.
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
}

async function passwordIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new LictorError('store-password', `The password of the store cannot be read: check the file ${file} and its owner.`, { cause });
  }
}

/** Node checks the certificate and its name. `authorities`: a PEM file; null: those of the system. */
function tlsOf(authorities: string | null) {
  return authorities === null ? {} : { ca: readFileSync(authorities, 'utf8') };
}

const BOOL = 16;
const INT8 = 20;
const NUMERIC = 1700;

/** As SQLite answers: numbers (all are below 2^53), and 1 and 0 for true and false. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8 || oid === NUMERIC) return Number;
  if (oid === BOOL) return (value: string) => (value === 't' ? 1 : 0);
  return pg.types.getTypeParser(oid, format as 'text');
}
