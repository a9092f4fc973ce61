// Login attempts with the page that the person wanted. The store has the address, so that no address passes through the browser.
import type { Kysely } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import { guesserKey } from '../contract/network.ts';
import type { Database } from './database.ts';
import { makeRoom } from './guessed-rows.ts';
import type { Tables } from './tables.ts';

/** Any client can create one: guessed-rows.ts. */
export const LOGIN_ATTEMPT_LIMITS = { rows: 10_000, perAddress: 500, lifeMs: 15 * 60_000 } as const;

export interface LoginAttempt {
  readonly id: string;
  readonly returnTo: string;
  /** The provider that the browser is sent to. */
  readonly idp?: string;
  /** Secrets that verify the answer to this attempt, encrypted by the caller. */
  readonly sealed?: string;
}

export interface NewLoginAttempt extends LoginAttempt {
  /** Of the browser. */
  readonly address: string;
}

export interface LoginAttempts {
  /** Beyond a limit, deletes the oldest: of its address, or of all. */
  create(attempt: NewLoginAttempt): Promise<void>;
  /** The address to return to; undefined when unknown or too old. */
  read(id: string): Promise<string | undefined>;
  /** The same, and uses the attempt. */
  take(id: string): Promise<string | undefined>;
  /** Uses an attempt at this provider: an answer counts once. Undefined: unknown, too old, or at another provider. */
  takeAnswered(id: string, idp: string): Promise<Required<LoginAttempt> | undefined>;
}

export function createLoginAttempts(database: Database, clock: Clock): LoginAttempts {
  const oldestMs = (): number => clock() - LOGIN_ATTEMPT_LIMITS.lifeMs;
  return {
    create: (attempt) => database.write((transaction) => insertAttempt(transaction, attempt, clock())),
    read: async (id) => {
      const row = await database.read
        .selectFrom('login_attempts')
        .select('return_to')
        .where('id', '=', id)
        .where('created_ms', '>', oldestMs())
        .executeTakeFirst();
      return row?.return_to;
    },
    take: (id) => database.write((transaction) => takeAttempt(transaction, id, oldestMs())),
    takeAnswered: (id, idp) => database.write((transaction) => takeAnswered(transaction, { id, idp }, oldestMs())),
  };
}

async function insertAttempt(db: Kysely<Tables>, { id, returnTo, idp, sealed, address }: NewLoginAttempt, nowMs: number): Promise<void> {
  const guesser = guesserKey(address);
  await db
    .deleteFrom('login_attempts')
    .where('created_ms', '<=', nowMs - LOGIN_ATTEMPT_LIMITS.lifeMs)
    .execute();
  await makeRoom(db, 'login_attempts', { guesser, limits: LOGIN_ATTEMPT_LIMITS });
  await db
    .insertInto('login_attempts')
    .values({ id, return_to: returnTo, idp: idp ?? null, sealed: sealed ?? null, created_ms: nowMs, guesser })
    .execute();
}

async function takeAttempt(db: Kysely<Tables>, id: string, oldestMs: number): Promise<string | undefined> {
  const row = await db.deleteFrom('login_attempts').where('id', '=', id).where('created_ms', '>', oldestMs).returning('return_to').executeTakeFirst();
  return row?.return_to;
}

async function takeAnswered(
  db: Kysely<Tables>,
  { id, idp }: { readonly id: string; readonly idp: string },
  oldestMs: number,
): Promise<Required<LoginAttempt> | undefined> {
  const row = await db
    .deleteFrom('login_attempts')
    .where('id', '=', id)
    .where('idp', '=', idp)
    .where('created_ms', '>', oldestMs)
    .returning(['return_to', 'sealed'])
    .executeTakeFirst();
  return row === undefined || row.sealed === null ? undefined : { id, idp, returnTo: row.return_to, sealed: row.sealed };
}
