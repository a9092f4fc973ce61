// Stored built-in accounts. The row of a removed account stays, because sessions and records refer to it.
import type { Kysely, Selectable } from 'kysely';
import type { Clock } from '../contract/clock.ts';
import type { Scope } from '../contract/scope.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { endClientGrants, ofAccount } from './ended-client-grants.ts';
import { fromColumn, toColumn } from './lists.ts';
import { prepareRead } from './prepared-read.ts';
import { scopeFromColumn, scopeToColumn } from './scopes.ts';
import type { Tables } from './tables.ts';

export interface StoredAccount {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** The objects that its roles hold on; null: all. */
  readonly scope: Scope | null;
  /** argon2id in PHC notation. */
  readonly password: string;
  readonly createdMs: number;
  /** Epoch milliseconds after which there is no such account; null: it stays. */
  readonly expiresMs: number | null;
  /** The last login; null: none. */
  readonly loginMs: number | null;
  /** It comes from a backup, and no person has confirmed it since; null: it holds. */
  readonly heldMs: number | null;
}

/** Without `expiresMs` it stays; without `scope` its roles hold on everything. */
export type NewAccount = Omit<StoredAccount, 'createdMs' | 'expiresMs' | 'loginMs' | 'heldMs' | 'scope'> & {
  readonly expiresMs?: number | null;
  readonly scope?: Scope | null;
};

export interface Accounts {
  /** False: there is an account of that name. */
  create(account: NewAccount): Promise<boolean>;
  /** Of those that have not expired, as `list`. */
  byName(name: string): Promise<StoredAccount | undefined>;
  list(): Promise<readonly StoredAccount[]>;
  /** Ends the hold that a restore put on it. False: it is not on hold. */
  confirm(name: string): Promise<boolean>;
  /** Ends the account's sessions, and a hold. False: no such account. */
  setPassword(name: string, password: string): Promise<boolean>;
  /** Ends the account's sessions; the name is free again. False: no such account. */
  remove(name: string): Promise<boolean>;
}

export function createAccounts(database: Database, clock: Clock): Accounts {
  const byName = prepareRead(database, live(database.read, 0).where('name', '=', ''));
  return {
    create: (account) => database.durably((transaction) => insertAccount(transaction, account, clock())),
    byName: async (name) => {
      const [row] = await byName(clock(), name);
      return row === undefined ? undefined : toAccount(row);
    },
    list: async () => (await live(database.read, clock()).orderBy('name').execute()).map(toAccount),
    confirm: (name) => database.durably((transaction) => confirmAccount(transaction, name)),
    setPassword: (name, password) =>
      database.durably((transaction) => changeAccount(transaction, name, { set: { password, held_ms: null }, done: 'got a new password', nowMs: clock() })),
    remove: (name) =>
      database.durably((transaction) => changeAccount(transaction, name, { set: { removed_ms: clock(), password: '' }, done: 'removed', nowMs: clock() })),
  };
}

function live(db: Kysely<Tables>, nowMs: number) {
  return db
    .selectFrom('accounts')
    .selectAll()
    .where('removed_ms', 'is', null)
    .where((where) => where.or([where('expires_ms', 'is', null), where('expires_ms', '>', nowMs)]));
}

async function insertAccount(db: Kysely<Tables>, account: NewAccount, nowMs: number): Promise<boolean> {
  const { expiresMs = null, scope = null, ...columns } = account;
  // The name of one that has expired is free again.
  await db.updateTable('accounts').set({ removed_ms: nowMs, password: '' }).where('expires_ms', '<=', nowMs).where('removed_ms', 'is', null).execute();
  const inserted = await db
    .insertInto('accounts')
    .values({
      ...columns,
      roles: toColumn(account.roles),
      scope: scopeToColumn(scope),
      created_ms: nowMs,
      removed_ms: null,
      expires_ms: expiresMs,
      login_ms: null,
      held_ms: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function confirmAccount(db: Kysely<Tables>, name: string): Promise<boolean> {
  const confirmed = await db
    .updateTable('accounts')
    .set({ held_ms: null })
    .where('name', '=', name)
    .where('held_ms', 'is not', null)
    .where('removed_ms', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (confirmed === undefined) return false;
  await raiseChangeNumber(db, `account ${name} confirmed`);
  return true;
}

interface AccountChange {
  readonly set: { readonly password: string; readonly removed_ms?: number; readonly held_ms?: null };
  readonly done: string;
  readonly nowMs: number;
}

async function changeAccount(db: Kysely<Tables>, name: string, change: AccountChange): Promise<boolean> {
  const changed = await db.updateTable('accounts').set(change.set).where('name', '=', name).where('removed_ms', 'is', null).returning('id').executeTakeFirst();
  if (changed === undefined) return false;
  await endClientGrants(db, change.nowMs, ofAccount(changed.id));
  await db.deleteFrom('sessions').where('account_id', '=', changed.id).execute();
  await raiseChangeNumber(db, `account ${name} ${change.done}`);
  return true;
}

function toAccount(row: Selectable<Tables['accounts']>): StoredAccount {
  return {
    id: row.id,
    name: row.name,
    roles: fromColumn(row.roles),
    scope: scopeFromColumn(row.scope),
    password: row.password,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
    loginMs: row.login_ms,
    heldMs: row.held_ms,
  };
}
