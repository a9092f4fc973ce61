// Authorization codes (RFC 6749 4.1.2): each begins one grant, for a minute, and is redeemed once.
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { hasSession, insertClientGrant, insertTokens, type NewClientGrant, type NewTokens } from './client-grants.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

export const AUTHORIZATION_CODE_MS = 60_000;

export interface NewAuthorizationCode {
  readonly id: string;
  /** SHA-256 of the whole code, hexadecimal. */
  readonly hash: string;
  readonly redirectUri: string;
  /** SHA-256 of the client's verifier, base64url (RFC 7636). */
  readonly challenge: string;
  /** The client requests an ID token. */
  readonly openid: boolean;
  readonly nonce: string | null;
}

export interface StoredAuthorizationCode extends NewAuthorizationCode {
  readonly grantId: string;
  /** The end of the grant once the code is redeemed. */
  readonly grantExpiresMs: number;
  readonly expiresMs: number;
  readonly used: boolean;
}

export interface AuthorizationCodes {
  /** Begins the grant: it ends with the code, unless the code is redeemed. False: the session in which it is allowed has ended. */
  create(code: NewAuthorizationCode, grant: NewClientGrant): Promise<boolean>;
  /** Used and expired ones too, as long as the store has their grant. */
  byId(id: string): Promise<StoredAuthorizationCode | undefined>;
  /** The first tokens of its grant. False: it was used or has expired, or the grant has ended. */
  redeem(id: string, tokens: NewTokens): Promise<boolean>;
}

export function createAuthorizationCodes(database: Database, clock: Clock): AuthorizationCodes {
  return {
    create: (code, grant) => database.durably((transaction) => create(transaction, { code, grant, nowMs: clock() })),
    async byId(id) {
      const row = await database.read.selectFrom('authorization_codes').selectAll().where('id', '=', id).executeTakeFirst();
      if (row === undefined) return undefined;
      const { hash, challenge, nonce } = row;
      return {
        ...{ id, hash, challenge, nonce },
        redirectUri: row.redirect_uri,
        openid: row.openid === 1,
        grantId: row.grant_id,
        grantExpiresMs: row.grant_expires_ms,
        expiresMs: row.expires_ms,
        used: row.used_ms !== null,
      };
    },
    redeem: (id, tokens) => database.durably((transaction) => redeem(transaction, { id, tokens, nowMs: clock() })),
  };
}

interface Creation {
  readonly code: NewAuthorizationCode;
  readonly grant: NewClientGrant;
  readonly nowMs: number;
}

async function create(db: Kysely<Tables>, { code, grant, nowMs }: Creation): Promise<boolean> {
  if (!(await hasSession(db, grant.allowedIn))) return false;
  const expiresMs = nowMs + AUTHORIZATION_CODE_MS;
  await insertClientGrant(db, { ...grant, expiresMs: Math.min(grant.expiresMs, expiresMs) }, nowMs);
  await db
    .insertInto('authorization_codes')
    .values({
      id: code.id,
      hash: code.hash,
      grant_id: grant.id,
      redirect_uri: code.redirectUri,
      challenge: code.challenge,
      openid: code.openid ? 1 : 0,
      nonce: code.nonce,
      grant_expires_ms: grant.expiresMs,
      expires_ms: expiresMs,
      used_ms: null,
    })
    .execute();
  return true;
}

interface Redemption {
  readonly id: string;
  readonly tokens: NewTokens;
  readonly nowMs: number;
}

async function redeem(db: Kysely<Tables>, { id, tokens, nowMs }: Redemption): Promise<boolean> {
  const used = await db
    .updateTable('authorization_codes')
    .set({ used_ms: nowMs })
    .where('id', '=', id)
    .where('used_ms', 'is', null)
    .where('expires_ms', '>', nowMs)
    .where('grant_id', 'in', (query) => query.selectFrom('client_grants').select('id').where('ended_ms', 'is', null))
    .returning(['grant_id', 'grant_expires_ms'])
    .executeTakeFirst();
  if (used === undefined) return false;
  await db.updateTable('client_grants').set({ expires_ms: used.grant_expires_ms }).where('id', '=', used.grant_id).execute();
  await insertTokens(db, used.grant_id, tokens, nowMs);
  return true;
}
