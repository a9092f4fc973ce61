// Stored service tokens, each with the hashes of at most two valid secrets.
import type { Kysely, Selectable } from 'kysely';
import { AT_ONCE, type Clock } from '../contract/clock.ts';
import type { Scope } from '../contract/scope.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { fromColumn, toColumn } from './lists.ts';
import { prepareRead } from './prepared-read.ts';
import { scopeFromColumn, scopeToColumn } from './scopes.ts';
import type { Tables } from './tables.ts';

export interface StoredSecret {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly createdMs: number;
  /** Epoch milliseconds; null: it does not expire by itself. */
  readonly expiresMs: number | null;
}

export interface StoredToken {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** The objects that its roles hold on; null: all. */
  readonly scope: Scope | null;
  /** Networks it may come from; empty: anywhere. */
  readonly cidrs: readonly string[];
  readonly createdMs: number;
  /** How long a fresh secret lives; null: for ever. */
  readonly lifetimeMs: number | null;
  readonly revokedMs: number | null;
  readonly lastUsedMs: number | null;
  /** The client's address at that time. */
  readonly lastUsedFrom: string | null;
  /** Newest first. */
  readonly secrets: readonly StoredSecret[];
}

export interface NewToken {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** Left out: on everything. */
  readonly scope?: Scope | null;
  readonly cidrs: readonly string[];
  readonly lifetimeMs: number | null;
  readonly hash: string;
}

export interface Rotation {
  readonly id: string;
  readonly hash: string;
  /** How long the former secret stays valid, at most until its own end. 0: it ends at once, even if the clock is set back. */
  readonly overlapMs: number;
}

export interface Tokens {
  /** False: a token of that name exists and is not revoked. */
  create(token: NewToken): Promise<boolean>;
  /** By the id that is in the token's text, revoked ones too; one indexed query. */
  byId(id: string): Promise<StoredToken | undefined>;
  /** Of those that are not revoked. */
  byName(name: string): Promise<StoredToken | undefined>;
  /** All, revoked ones too, by name and age. */
  list(): Promise<readonly StoredToken[]>;
  /** Adds a secret with the token's lifetime. The former one is valid for the overlap, and older ones end. False: unknown or revoked. */
  rotate(rotation: Rotation): Promise<boolean>;
  /** False: unknown or revoked already. */
  revoke(id: string): Promise<boolean>;
  /** Never moves backwards. */
  touch(id: string, usedMs: number, address: string): Promise<void>;
}

export function createTokens(database: Database, clock: Clock): Tokens {
  const byId = prepareRead(database, rows(database.read).where('tokens.id', '=', ''));
  return {
    create: (token) => database.durably((transaction) => insertToken(transaction, token, clock())),
    byId: async (id) => gather(await byId(id))[0],
    byName: async (name) => gather(await rows(database.read).where('tokens.name', '=', name).where('tokens.revoked_ms', 'is', null).execute())[0],
    list: async () => gather(await rows(database.read).orderBy('tokens.name').orderBy('tokens.created_ms').execute()),
    rotate: (rotation) => database.durably((transaction) => rotateToken(transaction, rotation, clock())),
    revoke: (id) => database.durably((transaction) => revokeToken(transaction, id, clock())),
    touch: (id, usedMs, address) => database.write((transaction) => touchToken(transaction, { id, usedMs, address })),
  };
}

async function insertToken(db: Kysely<Tables>, token: NewToken, nowMs: number): Promise<boolean> {
  const inserted = await db
    .insertInto('tokens')
    .values({
      id: token.id,
      name: token.name,
      roles: toColumn(token.roles),
      scope: scopeToColumn(token.scope ?? null),
      cidrs: toColumn(token.cidrs),
      created_ms: nowMs,
      lifetime_ms: token.lifetimeMs,
      revoked_ms: null,
      last_used_ms: null,
      last_used_from: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) return false;
  await insertSecret(db, token, nowMs);
  return true;
}

interface NewSecret {
  readonly id: string;
  readonly hash: string;
  readonly lifetimeMs: number | null;
}

async function insertSecret(db: Kysely<Tables>, secret: NewSecret, createdMs: number): Promise<void> {
  const expiresMs = secret.lifetimeMs === null ? null : createdMs + secret.lifetimeMs;
  await db.insertInto('token_secrets').values({ hash: secret.hash, token_id: secret.id, created_ms: createdMs, expires_ms: expiresMs }).execute();
}

async function rotateToken(db: Kysely<Tables>, rotation: Rotation, nowMs: number): Promise<boolean> {
  const [token] = gather(await rows(db).where('tokens.id', '=', rotation.id).execute());
  if (token === undefined || token.revokedMs !== null) return false;
  const [newest, ...older] = token.secrets;
  if (older.length > 0) {
    await db
      .deleteFrom('token_secrets')
      .where(
        'hash',
        'in',
        older.map((secret) => secret.hash),
      )
      .execute();
  }
  if (newest !== undefined) {
    const endsMs = rotation.overlapMs <= 0 ? AT_ONCE : Math.min(newest.expiresMs ?? Number.POSITIVE_INFINITY, nowMs + rotation.overlapMs);
    await db.updateTable('token_secrets').set({ expires_ms: endsMs }).where('hash', '=', newest.hash).execute();
  }
  // Strictly later than the one before: the next rotation distinguishes them by their order.
  const createdMs = Math.max(nowMs, (newest?.createdMs ?? 0) + 1);
  await insertSecret(db, { id: token.id, hash: rotation.hash, lifetimeMs: token.lifetimeMs }, createdMs);
  await raiseChangeNumber(db, `token ${token.name} rotated`);
  return true;
}

async function revokeToken(db: Kysely<Tables>, id: string, nowMs: number): Promise<boolean> {
  const revoked = await db
    .updateTable('tokens')
    .set({ revoked_ms: nowMs })
    .where('id', '=', id)
    .where('revoked_ms', 'is', null)
    .returning('name')
    .executeTakeFirst();
  if (revoked === undefined) return false;
  await raiseChangeNumber(db, `token ${revoked.name} revoked`);
  return true;
}

interface Use {
  readonly id: string;
  readonly usedMs: number;
  readonly address: string;
}

async function touchToken(db: Kysely<Tables>, { id, usedMs, address }: Use): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ last_used_ms: usedMs, last_used_from: address })
    .where('id', '=', id)
    .where((where) => where.or([where('last_used_ms', 'is', null), where('last_used_ms', '<', usedMs)]))
    .execute();
}

function rows(db: Kysely<Tables>) {
  return db
    .selectFrom('tokens')
    .innerJoin('token_secrets', 'token_secrets.token_id', 'tokens.id')
    .selectAll('tokens')
    .select(['token_secrets.hash', 'token_secrets.created_ms as secret_created_ms', 'token_secrets.expires_ms'])
    .orderBy('token_secrets.created_ms', 'desc');
}

type Row = Selectable<Tables['tokens']> & { readonly hash: string; readonly secret_created_ms: number; readonly expires_ms: number | null };

/** One row a secret -> one token with its secrets. */
function gather(found: readonly Row[]): readonly StoredToken[] {
  const bySecret = Map.groupBy(found, (row) => row.id);
  return [...bySecret.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [toToken(first, group)];
  });
}

function toToken(row: Row, secrets: readonly Row[]): StoredToken {
  return {
    id: row.id,
    name: row.name,
    roles: fromColumn(row.roles),
    scope: scopeFromColumn(row.scope),
    cidrs: fromColumn(row.cidrs),
    createdMs: row.created_ms,
    lifetimeMs: row.lifetime_ms,
    revokedMs: row.revoked_ms,
    lastUsedMs: row.last_used_ms,
    lastUsedFrom: row.last_used_from,
    secrets: secrets.map((secret) => ({ hash: secret.hash, createdMs: secret.secret_created_ms, expiresMs: secret.expires_ms })),
  };
}
