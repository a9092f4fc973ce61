// Browser sessions at rest, by the hash of the cookie's value.
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { fromColumn } from './lists.ts';
import type { Tables } from './tables.ts';

export interface StoredSession {
  readonly id: string;
  readonly account: { readonly id: string; readonly name: string; readonly roles: readonly string[] };
  readonly createdMs: number;
  readonly lastSeenMs: number;
  /** The absolute end; the idle one is reckoned from `lastSeenMs`. */
  readonly expiresMs: number;
}

export interface NewSession {
  readonly id: string;
  /** As read when the password was verified. */
  readonly account: { readonly id: string; readonly password: string };
  readonly expiresMs: number;
}

export interface Sessions {
  /** False: the account was removed, or has another password than the one that was verified. */
  create(session: NewSession): Promise<boolean>;
  /** Expired ones too, never one of a removed account; one indexed query. */
  byId(id: string): Promise<StoredSession | undefined>;
  /** Ends it; raises the change number. False: there was none. */
  end(id: string): Promise<boolean>;
  /** Never moves backwards. */
  touch(id: string, seenMs: number): Promise<void>;
  /** Deletes what ended by itself: past its absolute end, or not seen since then. Answers how many. */
  prune(times: { readonly nowMs: number; readonly seenBeforeMs: number }): Promise<number>;
}

export function createSessions(database: Database, clock: Clock): Sessions {
  return {
    create: (session) => database.write((transaction) => insertSession(transaction, session, clock())),
    byId: (id) => readSession(database.read, id),
    end: (id) => database.durably((transaction) => endSession(transaction, id)),
    touch: (id, seenMs) => database.write((transaction) => touchSession(transaction, id, seenMs)),
    prune: (times) => database.write((transaction) => pruneSessions(transaction, times)),
  };
}

async function insertSession(db: Kysely<Tables>, { id, account, expiresMs }: NewSession, nowMs: number): Promise<boolean> {
  const current = await db.selectFrom('accounts').select('password').where('id', '=', account.id).where('removed_ms', 'is', null).executeTakeFirst();
  if (current?.password !== account.password) return false;
  await db.insertInto('sessions').values({ id, account_id: account.id, created_ms: nowMs, last_seen_ms: nowMs, expires_ms: expiresMs }).execute();
  return true;
}

async function readSession(db: Kysely<Tables>, id: string): Promise<StoredSession | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .selectAll('sessions')
    .select(['accounts.name', 'accounts.roles'])
    .where('sessions.id', '=', id)
    .where('accounts.removed_ms', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    id: row.id,
    account: { id: row.account_id, name: row.name, roles: fromColumn(row.roles) },
    createdMs: row.created_ms,
    lastSeenMs: row.last_seen_ms,
    expiresMs: row.expires_ms,
  };
}

async function endSession(db: Kysely<Tables>, id: string): Promise<boolean> {
  const result = await db.deleteFrom('sessions').where('id', '=', id).executeTakeFirst();
  if (Number(result.numDeletedRows) === 0) return false;
  await raiseChangeNumber(db, 'session ended');
  return true;
}

async function touchSession(db: Kysely<Tables>, id: string, seenMs: number): Promise<void> {
  await db.updateTable('sessions').set({ last_seen_ms: seenMs }).where('id', '=', id).where('last_seen_ms', '<', seenMs).execute();
}

async function pruneSessions(db: Kysely<Tables>, times: { readonly nowMs: number; readonly seenBeforeMs: number }): Promise<number> {
  const result = await db
    .deleteFrom('sessions')
    .where((where) => where.or([where('expires_ms', '<=', times.nowMs), where('last_seen_ms', '<', times.seenBeforeMs)]))
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
