// Where the store is: a file of SQLite, or a database of Postgres.

/** A text is the absolute path of the SQLite file. */
export type StoreAddress = string | PostgresAddress;

export interface PostgresAddress {
  /** It may hold the password: only `shownAddress` may be printed. */
  readonly url: string;
  /** Absolute; Lictor reads it at each connection. Null: the URL or the environment (PGPASSWORD, PGPASSFILE) has the password. */
  readonly passwordFile: string | null;
}

/** For people: without the password, and without the options. */
export function shownAddress(at: StoreAddress): string {
  if (typeof at === 'string') return at;
  const { username, host, pathname } = new URL(at.url);
  return `postgres://${username === '' ? '' : `${username}@`}${host}${pathname}`;
}
