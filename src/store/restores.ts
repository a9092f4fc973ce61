// Restores from a backup. Each raises the epoch, and ends or holds every credential that may have been revoked after the backup was made.
import { type Kysely, sql } from 'kysely';
import { AT_ONCE } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Row } from './rows.ts';
import type { Tables } from './tables.ts';

export interface Restored {
  readonly backupId: string;
  /** When the backup was made. */
  readonly madeMs: number;
  readonly restoredMs: number;
  readonly later: LaterStore;
}

/** What holds by the store that the restore replaces. If it is older than the backup, it knows no revocation since: then it confirms nothing. */
export interface LaterStore {
  readonly changeNumber: number;
  /** Hashes of the secrets of service tokens. */
  readonly secrets: ReadonlySet<string>;
  /** Passwords of accounts, in their notation. */
  readonly passwords: ReadonlySet<string>;
  readonly locks: readonly Row[];
}

export const NO_LATER_STORE: LaterStore = { changeNumber: 0, secrets: new Set(), passwords: new Set(), locks: [] };

export interface Epoch {
  readonly epoch: number;
  readonly ended: Readonly<Record<'sessions' | 'logins' | 'accessTokens' | 'runTokens' | 'approvals', number>>;
  /** Names of those that wait for a person. */
  readonly waiting: Readonly<Record<'tokens' | 'accounts', readonly string[]>>;
}

/** In one transaction with the rows of the backup, or before any process uses them. */
export async function raiseEpoch(db: Kysely<Tables>, { backupId, madeMs, restoredMs, later }: Restored): Promise<Epoch> {
  const last = await db.selectFrom('restores').select('epoch').orderBy('epoch', 'desc').limit(1).executeTakeFirst();
  const epoch = (last?.epoch ?? 0) + 1;
  await db.insertInto('restores').values({ epoch, backup_id: backupId, made_ms: madeMs, restored_ms: restoredMs }).execute();
  const { number } = await db.selectFrom('change_number').select('number').executeTakeFirstOrThrow();
  const { secrets, passwords } = later.changeNumber >= number ? later : NO_LATER_STORE;
  const waiting = { tokens: await holdTokens(db, secrets, restoredMs), accounts: await holdAccounts(db, passwords, restoredMs) };
  const ended = await endAll(db, restoredMs);
  for (const lock of later.locks) await addLock(db, lock);
  await raiseChangeNumber(db, `restored: epoch ${epoch}`);
  return { epoch, ended, waiting };
}

/** A lock of the backup on the same target stays. */
async function addLock(db: Kysely<Tables>, lock: Row): Promise<void> {
  const names = sql.join(Object.keys(lock).map((column) => sql.id(column)));
  await sql`insert into locks (${names}) values (${sql.join(Object.values(lock))}) on conflict do nothing`.execute(db);
}

/** A token with a secret that ended since, or that a later store does not have, waits with all its secrets. */
async function holdTokens(db: Kysely<Tables>, still: ReadonlySet<string>, nowMs: number): Promise<readonly string[]> {
  const live = db.selectFrom('tokens').innerJoin('token_secrets', 'token_secrets.token_id', 'tokens.id').where('revoked_ms', 'is', null);
  const valid = live.where((where) => where.or([where('expires_ms', 'is', null), where('expires_ms', '>', nowMs)]));
  const rows = await valid.select(['tokens.id', 'tokens.name', 'token_secrets.hash']).orderBy('tokens.name').execute();
  const doubtful = new Map(rows.filter(({ hash }) => !still.has(hash)).map(({ id, name }) => [id, name]));
  await db
    .updateTable('tokens')
    .set({ held_ms: nowMs })
    .where('id', 'in', ['', ...doubtful.keys()])
    .execute();
  return [...doubtful.values()];
}

async function holdAccounts(db: Kysely<Tables>, still: ReadonlySet<string>, nowMs: number): Promise<readonly string[]> {
  const rows = await db.selectFrom('accounts').select(['id', 'name', 'password']).where('removed_ms', 'is', null).orderBy('name').execute();
  const doubtful = rows.filter(({ password }) => !still.has(password));
  const ids = doubtful.map(({ id }) => id);
  await db
    .updateTable('accounts')
    .set({ held_ms: nowMs })
    .where('id', 'in', ['', ...ids])
    .execute();
  return doubtful.map(({ name }) => name);
}

/** Short-lived credentials, and what waits for one: people and programs get them again. */
async function endAll(db: Kysely<Tables>, nowMs: number): Promise<Epoch['ended']> {
  for (const table of ['login_attempts', 'idp_tokens', 'device_codes', 'authorization_codes'] as const) await db.deleteFrom(table).execute();
  // Nodes make these again: two of the keys signed what has ended, and another key signs the ledger from here on.
  await db.deleteFrom('nodes').execute();
  await db.deleteFrom('shared_keys').where('name', 'in', ['run-token.key', 'signing.json', 'ledger.pem']).execute();
  const sessions = await db.deleteFrom('sessions').returning('id').execute();
  const logins = await db.updateTable('client_grants').set({ ended_ms: nowMs }).where('ended_ms', 'is', null).returning('id').execute();
  const accessTokens = await db.updateTable('access_tokens').set({ revoked_ms: nowMs }).where('revoked_ms', 'is', null).returning('id').execute();
  const runTokens = await db.updateTable('run_tokens').set({ ended_ms: AT_ONCE }).where('ended_ms', 'is', null).returning('id').execute();
  await db.updateTable('run_tokens').set({ ended_ms: AT_ONCE }).execute();
  const open = db.updateTable('approvals').set({ expires_ms: AT_ONCE }).where('state', 'in', ['pending', 'approved']).where('expires_ms', '>', nowMs);
  const approvals = await open.returning('id').execute();
  return {
    sessions: sessions.length,
    logins: logins.length,
    accessTokens: accessTokens.length,
    runTokens: runTokens.length,
    approvals: approvals.length,
  };
}
