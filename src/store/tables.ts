// The store's tables as Kysely sees them. Times are epoch milliseconds, lists are JSON text, ids are text: the same in SQLite and Postgres.

export interface Tables {
  readonly schema_version: { readonly version: number };
  readonly change_number: { readonly id: 1; readonly number: number; readonly reason: string };
  readonly tokens: TokenTable;
  readonly token_secrets: TokenSecretTable;
  readonly accounts: AccountTable;
  readonly sessions: SessionTable;
  readonly login_attempts: LoginAttemptTable;
}

interface TokenTable {
  readonly id: string;
  readonly name: string;
  readonly roles: string;
  readonly cidrs: string;
  readonly created_ms: number;
  /** How long a fresh secret lives; null: for ever. Rotation gives the same again. */
  readonly lifetime_ms: number | null;
  readonly revoked_ms: number | null;
  readonly last_used_ms: number | null;
}

interface TokenSecretTable {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly token_id: string;
  readonly created_ms: number;
  readonly expires_ms: number | null;
}

interface AccountTable {
  readonly id: string;
  readonly name: string;
  readonly roles: string;
  /** argon2id in PHC notation. */
  readonly password: string;
  readonly created_ms: number;
  readonly removed_ms: number | null;
}

interface SessionTable {
  /** SHA-256 of the cookie's value, hexadecimal: the store cannot give a session away. */
  readonly id: string;
  readonly account_id: string;
  readonly created_ms: number;
  readonly last_seen_ms: number;
  readonly expires_ms: number;
}

interface LoginAttemptTable {
  readonly id: string;
  readonly return_to: string;
  readonly created_ms: number;
}
