// Device logins that wait for a person in a browser (RFC 8628): short-lived, few, and each gives at most one grant.
import type { Kysely, Selectable } from 'kysely';
import { type ClientScope, isClientScope } from '../contract/client-scopes.ts';
import type { Clock } from '../contract/clock.ts';
import { guesserKey } from '../contract/network.ts';
import { hasSession, insertClientGrant, insertTokens, type NewClientGrant, type NewTokens } from './client-grants.ts';
import type { Database } from './database.ts';
import { makeRoom } from './guessed-rows.ts';
import { fromColumn, toColumn } from './lists.ts';
import type { Tables } from './tables.ts';

/** Any client can create one: guessed-rows.ts. */
export const DEVICE_CODE_LIMITS = { rows: 10_000, perAddress: 100, lifeMs: 10 * 60_000, intervalMs: 5000, slowerMs: 5000 } as const;

export interface NewDeviceCode {
  readonly id: string;
  /** SHA-256 of the whole device code, hexadecimal; `userHash` of the code that the person types. */
  readonly hash: string;
  readonly userHash: string;
  readonly clientId: string;
  readonly scopes: readonly ClientScope[];
  readonly audience: string;
  /** The client requests an ID token. */
  readonly openid: boolean;
  /** The requesting client, for the person who decides. */
  readonly address: string;
  readonly userAgent: string;
}

export interface StoredDeviceCode extends Omit<NewDeviceCode, 'userHash'> {
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly state: 'pending' | 'approved' | 'denied' | 'used';
  readonly grantId: string | null;
}

export interface DeviceCodes {
  /** Beyond a limit, deletes the oldest: of its address, or of all. */
  create(code: NewDeviceCode): Promise<void>;
  byId(id: string): Promise<StoredDeviceCode | undefined>;
  /** A waiting code that has not expired. */
  byUserHash(hash: string): Promise<StoredDeviceCode | undefined>;
  /** Stores the time of the poll. False: it came before the interval, which is longer from now on. */
  poll(id: string): Promise<boolean>;
  /** The person has decided; with a grant: allowed. False: decided before, too old, or the session in which it is allowed has ended meanwhile. */
  decide(id: string, grant: NewClientGrant | null): Promise<boolean>;
  /** The first tokens of its grant. False: it has been used, or the grant has ended. */
  redeem(id: string, tokens: NewTokens): Promise<boolean>;
}

export function createDeviceCodes(database: Database, clock: Clock): DeviceCodes {
  const select = () => database.read.selectFrom('device_codes').selectAll();
  return {
    create: (code) => database.write((transaction) => insert(transaction, code, clock())),
    byId: async (id) => toCode(await select().where('id', '=', id).executeTakeFirst()),
    byUserHash: async (hash) =>
      toCode(await select().where('user_hash', '=', hash).where('state', '=', 'pending').where('expires_ms', '>', clock()).executeTakeFirst()),
    poll: (id) => database.write((transaction) => poll(transaction, id, clock())),
    decide: (id, grant) => database.durably((transaction) => decide(transaction, { id, grant, nowMs: clock() })),
    redeem: (id, tokens) => database.durably((transaction) => redeem(transaction, { id, tokens, nowMs: clock() })),
  };
}

async function insert(db: Kysely<Tables>, code: NewDeviceCode, nowMs: number): Promise<void> {
  // A while longer than it lives, so that a slow client learns the result.
  await db
    .deleteFrom('device_codes')
    .where('expires_ms', '<', nowMs - DEVICE_CODE_LIMITS.lifeMs)
    .execute();
  const guesser = guesserKey(code.address);
  await makeRoom(db, 'device_codes', { guesser, limits: DEVICE_CODE_LIMITS });
  await db
    .insertInto('device_codes')
    .values({
      id: code.id,
      hash: code.hash,
      user_hash: code.userHash,
      client_id: code.clientId,
      scopes: toColumn(code.scopes),
      audience: code.audience,
      openid: code.openid ? 1 : 0,
      address: code.address,
      user_agent: code.userAgent,
      created_ms: nowMs,
      expires_ms: nowMs + DEVICE_CODE_LIMITS.lifeMs,
      interval_ms: DEVICE_CODE_LIMITS.intervalMs,
      polled_ms: null,
      state: 'pending',
      grant_id: null,
      guesser,
    })
    .execute();
}

/** Tolerates one second, because clocks and networks are inexact. */
const TOLERANCE_MS = 1000;

async function poll(db: Kysely<Tables>, id: string, nowMs: number): Promise<boolean> {
  const row = await db.selectFrom('device_codes').select(['interval_ms', 'polled_ms']).where('id', '=', id).executeTakeFirst();
  if (row === undefined) return true;
  const sinceMs = row.polled_ms === null ? Number.POSITIVE_INFINITY : nowMs - row.polled_ms;
  // Negative: the clock was set back. Otherwise the client would have to slow down at each poll until the clock catches up.
  const tooSoon = sinceMs >= 0 && sinceMs < row.interval_ms - TOLERANCE_MS;
  const interval = row.interval_ms + (tooSoon ? DEVICE_CODE_LIMITS.slowerMs : 0);
  await db.updateTable('device_codes').set({ polled_ms: nowMs, interval_ms: interval }).where('id', '=', id).execute();
  return !tooSoon;
}

async function decide(
  db: Kysely<Tables>,
  { id, grant, nowMs }: { readonly id: string; readonly grant: NewClientGrant | null; readonly nowMs: number },
): Promise<boolean> {
  if (grant !== null && !(await hasSession(db, grant.allowedIn))) return false;
  const decided = await db
    .updateTable('device_codes')
    .set({ state: grant === null ? 'denied' : 'approved', grant_id: grant?.id ?? null })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_ms', '>', nowMs)
    .returning('id')
    .executeTakeFirst();
  if (decided === undefined) return false;
  if (grant !== null) await insertClientGrant(db, grant, nowMs);
  return true;
}

async function redeem(
  db: Kysely<Tables>,
  { id, tokens, nowMs }: { readonly id: string; readonly tokens: NewTokens; readonly nowMs: number },
): Promise<boolean> {
  const used = await db
    .updateTable('device_codes')
    .set({ state: 'used' })
    .where('id', '=', id)
    .where('state', '=', 'approved')
    .where('grant_id', 'in', (query) => query.selectFrom('client_grants').select('id').where('ended_ms', 'is', null))
    .returning('grant_id')
    .executeTakeFirst();
  if (used === undefined || used.grant_id === null) return false;
  await insertTokens(db, used.grant_id, tokens, nowMs);
  return true;
}

function toCode(row: Selectable<Tables['device_codes']> | undefined): StoredDeviceCode | undefined {
  if (row === undefined) return undefined;
  const { id, hash, audience, address, state } = row;
  return {
    ...{ id, hash, audience, address, state },
    clientId: row.client_id,
    scopes: fromColumn(row.scopes).filter(isClientScope),
    openid: row.openid === 1,
    userAgent: row.user_agent,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    grantId: row.grant_id,
  };
}
