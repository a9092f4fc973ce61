// The tables of service tokens and their secrets.

export interface TokenTable {
  readonly id: string;
  readonly name: string;
  readonly roles: string;
  /** JSON; null: the roles hold on everything. */
  readonly scope: string | null;
  readonly cidrs: string;
  readonly created_ms: number;
  /** How long a fresh secret lives; null: for ever. Rotation gives the same again. */
  readonly lifetime_ms: number | null;
  readonly revoked_ms: number | null;
  readonly last_used_ms: number | null;
  /** The client's address at that time. */
  readonly last_used_from: string | null;
  /** When a restore put it on hold; null: it is not on hold. */
  readonly held_ms: number | null;
}

export interface TokenSecretTable {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly token_id: string;
  readonly created_ms: number;
  readonly expires_ms: number | null;
  readonly last_used_ms: number | null;
  readonly last_used_from: string | null;
}

/** Secrets that a rotation has removed: valid nowhere, and named in records. */
export interface FormerSecretTable {
  readonly hash: string;
  readonly token_id: string;
}
