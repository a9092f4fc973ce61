// Stored client grants: the rights that a person gave to a client, with a rotating refresh token and access tokens.
import { type Kysely, type Selectable, sql } from 'kysely';
import { type ClientScope, isClientScope } from '../contract/client-scopes.ts';
import type { Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { endClientGrants } from './ended-client-grants.ts';
import { fromColumn, toColumn } from './lists.ts';
import { OWNER_COLUMNS, type OwnerRow, ownerOf, type SessionOwner } from './owners.ts';
import type { Tables } from './tables.ts';

export interface NewClientGrant {
  readonly id: string;
  readonly clientId: string;
  readonly scopes: readonly ClientScope[];
  /** The part of the gateway that accepts its access tokens. */
  readonly audience: string;
  readonly accountId: string | null;
  readonly identityId: string | null;
  /** The browser session in which the person allowed it. If that session has ended, the grant does not begin. */
  readonly allowedIn: string;
  /** The browser session that the grant depends on and ends with, if the provider issues no separate tokens for it. */
  readonly sessionId: string | null;
  /** When the provider must be asked again; null: never. */
  readonly refreshAfterMs: number | null;
  readonly expiresMs: number;
}

export interface ClientGrant extends Omit<NewClientGrant, 'accountId' | 'identityId' | 'allowedIn'> {
  readonly owner: SessionOwner;
  readonly createdMs: number;
  /** The time of the last issued token. */
  readonly seenMs: number;
  readonly endedMs: number | null;
}

export interface GrantAccessToken {
  readonly id: string;
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly expiresMs: number;
}

/** A new pair. The store has only the hash of the refresh token. */
export interface NewTokens {
  readonly refreshHash: string;
  readonly access: GrantAccessToken;
}

export interface ClientGrants {
  /** Ended ones too; never one whose owner is gone. */
  byId(id: string): Promise<ClientGrant | undefined>;
  /** Those that have neither ended nor expired, and whose owner is there; oldest first. */
  live(): Promise<readonly ClientGrant[]>;
  /** An access token with its grant. */
  ofAccessToken(id: string): Promise<{ readonly token: GrantAccessToken; readonly grant: ClientGrant } | undefined>;
  /** `used`: it was exchanged before. */
  ofRefreshToken(hash: string): Promise<{ readonly grant: ClientGrant; readonly used: boolean } | undefined>;
  /** Marks the refresh token as used and makes `next` valid. False: it was used meanwhile, or the grant has ended. */
  rotate(hash: string, next: NewTokens): Promise<boolean>;
  /** Raises the change number. False: unknown, or ended before. */
  end(id: string): Promise<boolean>;
  /** One access token alone; raises the change number. */
  endAccessToken(id: string): Promise<boolean>;
  setRefreshAfter(id: string, refreshAfterMs: number | null): Promise<void>;
}

export function createClientGrants(database: Database, clock: Clock): ClientGrants {
  return {
    byId: (id) => readGrant(database.read, id),
    async live() {
      const rows = await grantRows(database.read)
        .where('client_grants.ended_ms', 'is', null)
        .where('client_grants.expires_ms', '>', clock())
        .orderBy('client_grants.created_ms')
        .execute();
      return rows.flatMap(toOwnedGrant);
    },
    async ofAccessToken(id) {
      const row = await database.read.selectFrom('grant_tokens').selectAll().where('id', '=', id).executeTakeFirst();
      const grant = row === undefined ? undefined : await readGrant(database.read, row.grant_id);
      return row === undefined || grant === undefined ? undefined : { token: { id: row.id, hash: row.hash, expiresMs: row.expires_ms }, grant };
    },
    async ofRefreshToken(hash) {
      const row = await database.read.selectFrom('refresh_tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
      const grant = row === undefined ? undefined : await readGrant(database.read, row.grant_id);
      return row === undefined || grant === undefined ? undefined : { grant, used: row.used_ms !== null };
    },
    rotate: (hash, next) => database.durably((transaction) => rotate(transaction, { hash, next, nowMs: clock() })),
    end: (id) => database.durably(async (transaction) => (await endClientGrants(transaction, clock(), sql<boolean>`id = ${id}`)) > 0),
    endAccessToken: (id) =>
      database.durably(async (transaction) => {
        const result = await transaction.deleteFrom('grant_tokens').where('id', '=', id).executeTakeFirst();
        if (Number(result.numDeletedRows) === 0) return false;
        await raiseChangeNumber(transaction, 'access token revoked');
        return true;
      }),
    setRefreshAfter: (id, refreshAfterMs) =>
      database.write(async (transaction) => {
        await transaction.updateTable('client_grants').set({ refresh_after_ms: refreshAfterMs }).where('id', '=', id).execute();
      }),
  };
}

/** How long Lictor reports an ended grant as ended instead of unknown, and detects a replayed refresh token. */
const KEPT_MS = 24 * 3_600_000;

/** Call it in the transaction that permits the login: a new password, a logout or a forgotten person may have deleted the session since the page was shown. */
export async function hasSession(db: Kysely<Tables>, id: string): Promise<boolean> {
  return (await db.selectFrom('sessions').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
}

/** Call it in the transaction that permits the login. Also deletes grants that ended long ago. */
export async function insertClientGrant(db: Kysely<Tables>, grant: NewClientGrant, nowMs: number): Promise<void> {
  await forgetOld(db, nowMs - KEPT_MS);
  await db
    .insertInto('client_grants')
    .values({
      id: grant.id,
      client_id: grant.clientId,
      scopes: toColumn(grant.scopes),
      audience: grant.audience,
      account_id: grant.accountId,
      identity_id: grant.identityId,
      session_id: grant.sessionId,
      refresh_after_ms: grant.refreshAfterMs,
      created_ms: nowMs,
      seen_ms: nowMs,
      expires_ms: grant.expiresMs,
      ended_ms: null,
    })
    .execute();
}

export async function insertTokens(db: Kysely<Tables>, grantId: string, { refreshHash, access }: NewTokens, nowMs: number): Promise<void> {
  await db.insertInto('refresh_tokens').values({ hash: refreshHash, grant_id: grantId, created_ms: nowMs, used_ms: null }).execute();
  await db
    .insertInto('grant_tokens')
    .values({ id: access.id, hash: access.hash, grant_id: grantId, created_ms: nowMs, expires_ms: access.expiresMs })
    .execute();
  await db
    .deleteFrom('grant_tokens')
    .where('grant_id', '=', grantId)
    .where('expires_ms', '<', nowMs - KEPT_MS)
    .execute();
  await db.updateTable('client_grants').set({ seen_ms: nowMs }).where('id', '=', grantId).execute();
}

interface Rotation {
  readonly hash: string;
  readonly next: NewTokens;
  readonly nowMs: number;
}

async function rotate(db: Kysely<Tables>, { hash, next, nowMs }: Rotation): Promise<boolean> {
  const used = await db
    .updateTable('refresh_tokens')
    .set({ used_ms: nowMs })
    .where('hash', '=', hash)
    .where('used_ms', 'is', null)
    .where('grant_id', 'in', (query) => query.selectFrom('client_grants').select('id').where('ended_ms', 'is', null))
    .returning('grant_id')
    .executeTakeFirst();
  if (used === undefined) return false;
  await insertTokens(db, used.grant_id, next, nowMs);
  return true;
}

async function forgetOld(db: Kysely<Tables>, beforeMs: number): Promise<void> {
  const old = db
    .selectFrom('client_grants')
    .select('id')
    .where((where) => where.or([where('expires_ms', '<', beforeMs), where('ended_ms', '<', beforeMs)]));
  await db.deleteFrom('grant_tokens').where('grant_id', 'in', old).execute();
  await db.deleteFrom('authorization_codes').where('grant_id', 'in', old).execute();
  await db.deleteFrom('refresh_tokens').where('grant_id', 'in', old).execute();
  await db.deleteFrom('idp_tokens').where('owner', 'in', old).execute();
  await db.deleteFrom('client_grants').where('id', 'in', old).execute();
}

async function readGrant(db: Kysely<Tables>, id: string): Promise<ClientGrant | undefined> {
  return (await grantRows(db).where('client_grants.id', '=', id).execute()).flatMap(toOwnedGrant)[0];
}

function grantRows(db: Kysely<Tables>) {
  return db
    .selectFrom('client_grants')
    .leftJoin('accounts', (join) => join.onRef('accounts.id', '=', 'client_grants.account_id').on('accounts.removed_ms', 'is', null))
    .leftJoin('identities', 'identities.id', 'client_grants.identity_id')
    .selectAll('client_grants')
    .select(OWNER_COLUMNS);
}

function toOwnedGrant(row: Selectable<Tables['client_grants']> & OwnerRow): readonly ClientGrant[] {
  const owner = ownerOf(row);
  return owner === undefined ? [] : [toGrant(row, owner)];
}

function toGrant(row: Selectable<Tables['client_grants']>, owner: SessionOwner): ClientGrant {
  return {
    id: row.id,
    owner,
    clientId: row.client_id,
    scopes: fromColumn(row.scopes).filter(isClientScope),
    audience: row.audience,
    sessionId: row.session_id,
    refreshAfterMs: row.refresh_after_ms,
    createdMs: row.created_ms,
    seenMs: row.seen_ms,
    expiresMs: row.expires_ms,
    endedMs: row.ended_ms,
  };
}
