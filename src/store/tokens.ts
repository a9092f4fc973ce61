// Stored service tokens, each with the hashes of at most two valid secrets.
import type { Kysely, Selectable } from 'kysely';
import { AT_ONCE, type Clock } from '../contract/clock.ts';
import type { Scope } from '../contract/scope.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { fromColumn, toColumn } from './lists.ts';
import { prepareRead } from './prepared-read.ts';
import { rememberedBy } from './remembered.ts';
import { scopeFromColumn, scopeToColumn } from './scopes.ts';
import type { Tables } from './tables.ts';

export interface StoredSecret {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly createdMs: number;
  /** Epoch milliseconds; null: it does not expire by itself. */
  readonly expiresMs: number | null;
  readonly lastUsedMs: number | null;
  /** The client's address at that time. */
  readonly lastUsedFrom: string | null;
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
  /** It comes from a backup, and no person has confirmed it since; null: it holds. */
  readonly heldMs: number | null;
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

export interface TokenUse {
  readonly id: string;
  readonly hash: string;
  readonly usedMs: number;
  readonly address: string;
}

export interface Tokens {
  /** False: a token of that name exists and is not revoked. */
  create(token: NewToken): Promise<boolean>;
  /** By the id that is in the token's text, revoked ones too; one indexed query. */
  byId(id: string): Promise<StoredToken | undefined>;
  /** By the hash of a secret that a rotation has removed. */
  byFormerSecret(hash: string): Promise<StoredToken | undefined>;
  /** Of those that are not revoked. */
  byName(name: string): Promise<StoredToken | undefined>;
  /** All, revoked ones too, by name and age. */
  list(): Promise<readonly StoredToken[]>;
  /** Adds a secret with the token's lifetime. The former one is valid for the overlap, and older ones end. False: unknown or revoked. */
  rotate(rotation: Rotation): Promise<boolean>;
  /** Ends the hold that a restore put on it. False: it is not on hold. */
  confirm(id: string): Promise<boolean>;
  /** False: unknown or revoked already. */
  revoke(id: string): Promise<boolean>;
  /** Of the token, and of the secret that was used. Never moves backwards. */
  touch(use: TokenUse): Promise<void>;
}

export function createTokens(database: Database, clock: Clock): Tokens {
  const byId = prepareRead(database, rows(database.read).where('tokens.id', '=', ''));
  const remembered = rememberedBy(database);
  return {
    create: (token) => database.durably((transaction) => insertToken(transaction, token, clock())),
    byId: (id) => remembered(keyOf(id), async () => gather(await byId(id))[0]),
    async byFormerSecret(hash) {
      const former = await database.read.selectFrom('former_secrets').select('token_id').where('hash', '=', hash).executeTakeFirst();
      return former === undefined ? undefined : gather(await byId(former.token_id))[0];
    },
    byName: async (name) => gather(await rows(database.read).where('tokens.name', '=', name).where('tokens.revoked_ms', 'is', null).execute())[0],
    list: async () => gather(await rows(database.read).orderBy('tokens.name').orderBy('tokens.created_ms').execute()),
    rotate: (rotation) => database.durably((transaction) => rotateToken(transaction, rotation, clock())),
    confirm: (id) => database.durably((transaction) => confirmToken(transaction, id)),
    revoke: (id) => database.durably((transaction) => revokeToken(transaction, id, clock())),
    touch: (use) => database.write((transaction) => touchToken(transaction, use)).finally(() => database.remembered?.drop(keyOf(use.id))),
  };
}

function keyOf(id: string): string {
  return `token ${id}`;
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
      held_ms: null,
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
  await db
    .insertInto('token_secrets')
    .values({ hash: secret.hash, token_id: secret.id, created_ms: createdMs, expires_ms: expiresMs, last_used_ms: null, last_used_from: null })
    .execute();
}

async function rotateToken(db: Kysely<Tables>, rotation: Rotation, nowMs: number): Promise<boolean> {
  const [token] = gather(await rows(db).where('tokens.id', '=', rotation.id).execute());
  if (token === undefined || token.revokedMs !== null) return false;
  const [newest, ...older] = token.secrets;
  for (const { hash } of older) {
    await db.deleteFrom('token_secrets').where('hash', '=', hash).execute();
    await db.insertInto('former_secrets').values({ hash, token_id: token.id }).execute();
  }
  if (newest !== undefined) {
    // No person has confirmed the former secret of a held token.
    const endsMs =
      rotation.overlapMs <= 0 || token.heldMs !== null ? AT_ONCE : Math.min(newest.expiresMs ?? Number.POSITIVE_INFINITY, nowMs + rotation.overlapMs);
    await db.updateTable('token_secrets').set({ expires_ms: endsMs }).where('hash', '=', newest.hash).execute();
  }
  // Strictly later than the one before: the next rotation distinguishes them by their order.
  const createdMs = Math.max(nowMs, (newest?.createdMs ?? 0) + 1);
  await insertSecret(db, { id: token.id, hash: rotation.hash, lifetimeMs: token.lifetimeMs }, createdMs);
  await db.updateTable('tokens').set({ held_ms: null }).where('id', '=', token.id).execute();
  await raiseChangeNumber(db, `token ${token.name} rotated`);
  return true;
}

async function confirmToken(db: Kysely<Tables>, id: string): Promise<boolean> {
  const confirmed = await db
    .updateTable('tokens')
    .set({ held_ms: null })
    .where('id', '=', id)
    .where('held_ms', 'is not', null)
    .where('revoked_ms', 'is', null)
    .returning('name')
    .executeTakeFirst();
  if (confirmed === undefined) return false;
  await raiseChangeNumber(db, `token ${confirmed.name} confirmed`);
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

async function touchToken(db: Kysely<Tables>, { id, hash, usedMs, address }: TokenUse): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ last_used_ms: usedMs, last_used_from: address })
    .where('id', '=', id)
    .where((where) => where.or([where('last_used_ms', 'is', null), where('last_used_ms', '<', usedMs)]))
    .execute();
  await db
    .updateTable('token_secrets')
    .set({ last_used_ms: usedMs, last_used_from: address })
    .where('hash', '=', hash)
    .where((where) => where.or([where('last_used_ms', 'is', null), where('last_used_ms', '<', usedMs)]))
    .execute();
}

function rows(db: Kysely<Tables>) {
  return db
    .selectFrom('tokens')
    .innerJoin('token_secrets', 'token_secrets.token_id', 'tokens.id')
    .selectAll('tokens')
    .select([
      'token_secrets.hash',
      'token_secrets.created_ms as secret_created_ms',
      'token_secrets.expires_ms',
      'token_secrets.last_used_ms as secret_used_ms',
      'token_secrets.last_used_from as secret_used_from',
    ])
    .orderBy('token_secrets.created_ms', 'desc');
}

interface SecretRow {
  readonly hash: string;
  readonly secret_created_ms: number;
  readonly expires_ms: number | null;
  readonly secret_used_ms: number | null;
  readonly secret_used_from: string | null;
}

type Row = Selectable<Tables['tokens']> & SecretRow;

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
    heldMs: row.held_ms,
    secrets: secrets.map(toSecret),
  };
}

function toSecret({ hash, secret_created_ms, expires_ms, secret_used_ms, secret_used_from }: SecretRow): StoredSecret {
  return { hash, createdMs: secret_created_ms, expiresMs: expires_ms, lastUsedMs: secret_used_ms, lastUsedFrom: secret_used_from };
}
