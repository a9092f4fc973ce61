// store, store_listen: the file of SQLite, or a database of Postgres.
import { resolve } from 'node:path';
import { z } from 'zod';
import type { PostgresAddress, StoreAddress } from '../../contract/store-address.ts';
import type { Report } from '../report.ts';
import { type Complaint, reject } from '../schema/issues.ts';
import { filePath, text } from '../schema/scalars.ts';
import type { Context } from './context.ts';
import { readPemFile } from './pem-file.ts';

const POSTGRES = /^postgres(?:ql)?:/;

/** Relative paths: of the SQLite file, below the state directory; of the password, below the file's directory. */
export function storeSection(context: Pick<Context, 'stateDir' | 'baseDir'>) {
  return z
    .union([text, withPasswordFile(context)])
    .transform((store, issues): StoreAddress => {
      if (typeof store !== 'string') return postgres(store, issues);
      if (POSTGRES.test(store)) return postgres({ url: store, passwordFile: null }, issues);
      const file = /^sqlite:(?!:)([^?#\p{Cc}]+)$/u.exec(store)?.[1];
      if (file !== undefined && !file.endsWith('/')) return resolve(context.stateDir, file);
      return reject(issues, { message: 'must be sqlite: and the path of a file, or postgres:// and a database', remedy: 'Write sqlite:lictor.db.' });
    })
    .prefault('sqlite:lictor.db')
    .describe(`sqlite:FILE, relative to the state directory; or ${EXAMPLE}, from Postgres 14: docs/how-to/postgres.md.`);
}

export const nodeKey = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i, 'must be 1 to 63 letters, digits, dots and hyphens')
  .optional()
  .describe('The name of this node in records and metrics, which no other node of the store may have. Default: the host name.');

export function storeListenSection(context: Pick<Context, 'baseDir'>) {
  return z
    .union([text, withPasswordFile(context)])
    .transform((store, issues) => postgres(typeof store === 'string' ? { url: store, passwordFile: null } : store, issues))
    .nullable()
    .default(null)
    .describe('The same database without PgBouncer: one direct connection for each node. Needed only where store leads to PgBouncer.');
}

const EXAMPLE = 'postgres://USER@HOST/DATABASE?sslmode=verify-full';

function withPasswordFile({ baseDir }: Pick<Context, 'baseDir'>) {
  return z
    .strictObject({
      url: text.describe(`${EXAMPLE}. Also sslrootcert=FILE, or host=DIRECTORY for a socket. HOST,HOST are a primary and its standbys.`),
      password_file: filePath.describe('A file that holds the password alone. Lictor reads it for each connection.'),
    })
    .transform(({ url, password_file: file }) => ({ url, passwordFile: resolve(baseDir, file) }));
}

function postgres(address: PostgresAddress, issues: z.RefinementCtx): PostgresAddress {
  const complaint = postgresComplaint(address.url);
  return complaint === undefined ? address : reject(issues, complaint);
}

/** None shows any part of the text: it may hold a password. */
export function postgresComplaint(written: string): Complaint | undefined {
  const url = POSTGRES.test(written) ? URL.parse(written) : null;
  const parameters = [...(url?.searchParams.keys() ?? [])];
  const isKnown = parameters.every((name) => ['sslmode', 'sslrootcert', 'host'].includes(name)) && new Set(parameters).size === parameters.length;
  if (url === null || url.hash !== '' || url.username === '' || !/^\/[^/@]+$/.test(url.pathname) || /^,|,,|,$/.test(url.hostname) || !isKnown)
    return { message: 'is no address of a Postgres database', remedy: `Write ${EXAMPLE}. Percent-encode special characters, or use password_file.` };
  const socket = url.searchParams.get('host');
  if (socket === null) return tlsComplaint(url);
  return socket.startsWith('/') ? undefined : { message: 'has a host that is no directory', remedy: 'Write ?host=/run/postgresql for a socket there.' };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** libpq's other modes do not check the server: another server in its place would decide about every request. */
function tlsComplaint({ hostname, searchParams }: URL): Complaint | undefined {
  const mode = searchParams.get('sslmode');
  const file = searchParams.get('sslrootcert');
  if (mode !== 'verify-full' && mode !== 'disable' && !(mode === null && hostname.split(',').every((host) => LOOPBACK.has(host))))
    return {
      message: 'does not say whether the connection is encrypted',
      remedy: 'Add ?sslmode=verify-full; or ?sslmode=disable where the network itself is private.',
    };
  if (file === null || (file.startsWith('/') && readPemFile(file) !== null)) return undefined;
  return { message: 'has an sslrootcert that cannot be read as PEM certificates', remedy: 'Give the absolute path of the authorities of Postgres, as PEM.' };
}

const PLAIN_PASSWORD = /^postgres(?:ql)?:\/\/[^/:@]*:(?!\$\{)[^@]/;

/** Before `${NAME}` is replaced: a password in the file would be in its backups and reviews. */
export function reportPlainPasswords(data: unknown, report: Report): void {
  for (const { keys, value } of addressesIn(data)) {
    if (typeof value === 'string' && PLAIN_PASSWORD.test(value))
      report(keys, 'has a password in plain text', 'Write ${NAME} in its place and set NAME in the environment, or write { url: ..., password_file: ... }.');
  }
}

function addressesIn(data: unknown) {
  const sections = z.object({ store: z.unknown(), store_listen: z.unknown() }).partial().safeParse(data).data ?? {};
  return Object.entries(sections).flatMap(([key, value]) => [
    { keys: [key], value },
    { keys: [key, 'url'], value: z.object({ url: z.unknown() }).safeParse(value).data?.url },
  ]);
}
