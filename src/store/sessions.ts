// Stored browser sessions, by the hash of the cookie's value. Each belongs to a built-in account or to an identity of a provider.
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { endClientGrants, ofSessions } from './ended-client-grants.ts';
import { removeSessions } from './ended-sessions.ts';
import { OWNER_COLUMNS, type OwnerRow, ownerOf, type SessionOwner } from './owners.ts';
import type { Tables } from './tables.ts';

export interface StoredSession {
  readonly id: string;
  readonly owner: SessionOwner;
  /** The provider's name for its session; null: none. */
  readonly idpSession: string | null;
  /** When the provider must be asked again; null: never. */
  readonly refreshAfterMs: number | null;
  /** When the person proved the identity: may be long before the session. Null: not known. */
  readonly authenticatedMs: number | null;
  readonly createdMs: number;
  readonly lastSeenMs: number;
  /** The client's address at that time; null: no request since the login. */
  readonly lastSeenFrom: string | null;
  /** The absolute end. `lastSeenMs` gives the idle end. */
  readonly expiresMs: number;
}

export interface NewSession {
  readonly id: string;
  /** As read when the password was verified. */
  readonly account: { readonly id: string; readonly password: string };
  /** It ends with its account, when that is earlier. */
  readonly expiresMs: number;
}

export interface NewIdentitySession {
  readonly id: string;
  readonly identityId: string;
  readonly idpSession: string | null;
  readonly refreshAfterMs: number | null;
  readonly authenticatedMs: number | null;
  readonly expiresMs: number;
}

/** The sessions that a provider ends: by the name of its session, by subject, or by both. */
export interface IdpSessions {
  readonly idp: string;
  readonly subject?: string;
  readonly idpSession?: string;
}

export interface SessionQuery {
  /** Ids of accounts and identities; left out: of all. */
  readonly owners?: readonly string[];
  /** The last one of the page before. */
  readonly after?: Pick<StoredSession, 'id' | 'createdMs'>;
  readonly most: number;
}

export interface EndedSession {
  readonly id: string;
  /** The identity of the session. */
  readonly name: string;
}

export interface Sessions {
  /** False: the account was removed, or has another password than the one that was verified. */
  create(session: NewSession): Promise<boolean>;
  createForIdentity(session: NewIdentitySession): Promise<void>;
  /** Expired ones too, never one of a removed account; one indexed query. */
  byId(id: string): Promise<StoredSession | undefined>;
  /** Those whose owner is there, expired ones too, newest first. */
  page(query: SessionQuery): Promise<readonly StoredSession[]>;
  /** Ends the session and raises the change number. False: no such session. */
  end(id: string): Promise<boolean>;
  /** Ends the sessions that the provider has ended; raises the change number if there are any. */
  endOfProvider(which: IdpSessions): Promise<readonly EndedSession[]>;
  /** Never moves backwards. */
  touch(id: string, seenMs: number, address: string): Promise<void>;
  /** When the provider must be asked next. */
  setRefreshAfter(id: string, refreshAfterMs: number | null): Promise<void>;
  /** Deletes expired sessions: past the absolute end, or not seen since then. Answers how many. */
  prune(times: { readonly nowMs: number; readonly seenBeforeMs: number }): Promise<number>;
}

export function createSessions(database: Database, clock: Clock): Sessions {
  return {
    create: (session) => database.write((transaction) => insertSession(transaction, session, clock())),
    createForIdentity: (session) => database.write((transaction) => insertIdentitySession(transaction, session, clock())),
    byId: async (id) => (await rows(database.read).where('sessions.id', '=', id).execute()).flatMap(toSession)[0],
    page: (query) => pageOf(database.read, query),
    end: (id) => database.durably(async (transaction) => (await deleteSessions(transaction, sql<boolean>`id = ${id}`, clock())) > 0),
    endOfProvider: (which) => database.durably((transaction) => endOfProvider(transaction, which, clock())),
    touch: (id, seenMs, address) => database.write((transaction) => touchSession(transaction, { id, seenMs, address })),
    setRefreshAfter: (id, refreshAfterMs) => database.write((transaction) => setRefreshAfter(transaction, id, refreshAfterMs)),
    prune: (times) => database.write((transaction) => pruneSessions(transaction, times)),
  };
}

async function insertSession(db: Kysely<Tables>, { id, account, expiresMs }: NewSession, nowMs: number): Promise<boolean> {
  const current = await db
    .selectFrom('accounts')
    .select(['password', 'expires_ms'])
    .where('id', '=', account.id)
    .where('removed_ms', 'is', null)
    .executeTakeFirst();
  if (current?.password !== account.password) return false;
  const endsMs = Math.min(expiresMs, current.expires_ms ?? expiresMs);
  await db
    .insertInto('sessions')
    .values({ ...NO_OWNER, id, account_id: account.id, authenticated_ms: nowMs, created_ms: nowMs, last_seen_ms: nowMs, expires_ms: endsMs })
    .execute();
  await db.updateTable('accounts').set({ login_ms: nowMs }).where('id', '=', account.id).execute();
  return true;
}

async function insertIdentitySession(db: Kysely<Tables>, session: NewIdentitySession, nowMs: number): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      ...NO_OWNER,
      id: session.id,
      identity_id: session.identityId,
      idp_session: session.idpSession,
      refresh_after_ms: session.refreshAfterMs,
      authenticated_ms: session.authenticatedMs,
      created_ms: nowMs,
      last_seen_ms: nowMs,
      expires_ms: session.expiresMs,
    })
    .execute();
}

const NO_OWNER = { account_id: null, identity_id: null, idp_session: null, refresh_after_ms: null, last_seen_from: null } as const;

async function pageOf(db: Kysely<Tables>, { owners, after, most }: SessionQuery): Promise<readonly StoredSession[]> {
  let query = rows(db).orderBy('sessions.created_ms', 'desc').orderBy('sessions.id').limit(most);
  if (owners !== undefined) query = query.where((where) => where.or([where('account_id', 'in', owners), where('identity_id', 'in', owners)]));
  if (after !== undefined) {
    const { createdMs, id } = after;
    const isOlder = sql<boolean>`(sessions.created_ms < ${createdMs} or (sessions.created_ms = ${createdMs} and sessions.id > ${id}))`;
    query = query.where(isOlder);
  }
  return (await query.execute()).flatMap(toSession);
}

function rows(db: Kysely<Tables>) {
  return db
    .selectFrom('sessions')
    .leftJoin('accounts', (join) => join.onRef('accounts.id', '=', 'sessions.account_id').on('accounts.removed_ms', 'is', null))
    .leftJoin('identities', 'identities.id', 'sessions.identity_id')
    .selectAll('sessions')
    .select(OWNER_COLUMNS);
}

/** Empty: the owner was removed. */
function toSession(row: Selectable<Tables['sessions']> & OwnerRow): readonly StoredSession[] {
  const owner = ownerOf(row);
  if (owner === undefined) return [];
  const session = {
    id: row.id,
    owner,
    idpSession: row.idp_session,
    refreshAfterMs: row.refresh_after_ms,
    authenticatedMs: row.authenticated_ms,
    createdMs: row.created_ms,
    lastSeenMs: row.last_seen_ms,
    lastSeenFrom: row.last_seen_from,
    expiresMs: row.expires_ms,
  };
  return [session];
}

async function endOfProvider(db: Kysely<Tables>, { idp, subject, idpSession }: IdpSessions, nowMs: number): Promise<readonly EndedSession[]> {
  if (subject === undefined && idpSession === undefined) return [];
  const ofSubject = subject === undefined ? sql`` : sql` and subject = ${subject}`;
  const ofSession = idpSession === undefined ? sql`` : sql` and idp_session = ${idpSession}`;
  const which = sql<boolean>`identity_id in (select id from identities where idp = ${idp}${ofSubject})${ofSession}`;
  const ended = await db
    .selectFrom('sessions')
    .innerJoin('identities', 'identities.id', 'sessions.identity_id')
    .select(['sessions.id', 'identities.name'])
    .where('sessions.id', 'in', (query) => query.selectFrom('sessions').select('id').where(which))
    .execute();
  await deleteSessions(db, which, nowMs);
  return ended;
}

/**
 * Also ends the tokens of the provider for them, and the command line logins that depend on them. Uses a condition instead of a list of ids:
 * SQLite accepts 32,766 values in a statement, and there may be more sessions.
 */
async function deleteSessions(db: Kysely<Tables>, which: RawBuilder<boolean>, nowMs: number): Promise<number> {
  await endClientGrants(db, nowMs, ofSessions(which));
  const ended = await removeSessions(db, which);
  if (ended > 0) await raiseChangeNumber(db, 'session ended');
  return ended;
}

interface Seen {
  readonly id: string;
  readonly seenMs: number;
  readonly address: string;
}

async function touchSession(db: Kysely<Tables>, { id, seenMs, address }: Seen): Promise<void> {
  const seen = { last_seen_ms: seenMs, last_seen_from: address };
  // The first request may come in the millisecond of the login.
  await db.updateTable('sessions').set(seen).where('id', '=', id).where('last_seen_ms', '<=', seenMs).execute();
}

async function setRefreshAfter(db: Kysely<Tables>, id: string, refreshAfterMs: number | null): Promise<void> {
  await db.updateTable('sessions').set({ refresh_after_ms: refreshAfterMs }).where('id', '=', id).execute();
}

async function pruneSessions(db: Kysely<Tables>, times: { readonly nowMs: number; readonly seenBeforeMs: number }): Promise<number> {
  return await removeSessions(db, sql<boolean>`(expires_ms <= ${times.nowMs} or last_seen_ms < ${times.seenBeforeMs})`);
}
