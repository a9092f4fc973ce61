// Locks on principals, sessions, providers and addresses. A set or removed lock raises the change number. Lictor stores an ended lock for a day, and it
// holds again if the clock is set back.

import type { Kysely } from 'kysely';
import { type Clock, RETENTION_AFTER_END_MS } from '../contract/clock.ts';
import type { Lock, LockTarget, NewLock } from '../contract/lock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { namesOfSame } from './former-names.ts';
import { prepareRead } from './prepared-read.ts';
import { rememberedBy } from './remembered.ts';
import type { Tables } from './tables.ts';

/** `ofAccounts` left out: false. */
export type HeldTarget = LockTarget & Partial<Pick<Lock, 'ofAccounts'>>;

export interface Locks {
  /**
   * Replaces a lock on the same target; if one of the two is on accounts, the new one is. Locks each present and former name of a person,
   * because a run stores the name that the person had at its start. Answers the locked values.
   */
  put(lock: NewLock): Promise<readonly string[]>;
  /** Also removes the locks on other names of the same person. Answers the values; empty: no lock holds. */
  remove(target: HeldTarget): Promise<readonly string[]>;
  /** The locks that `remove` would remove. */
  heldOn(target: HeldTarget): Promise<readonly Lock[]>;
  /** The locks that hold now, oldest first. */
  list(): Promise<readonly Lock[]>;
}

export function createLocks(database: Database, clock: Clock): Locks {
  const stored = prepareRead(
    database,
    database.read
      .selectFrom('locks')
      .selectAll()
      .where((where) => where.or([where('expires_ms', 'is', null), where('expires_ms', '>', 0)]))
      .orderBy('created_ms')
      .orderBy('value'),
  );
  const remembered = rememberedBy(database);
  const list = async (): Promise<readonly Lock[]> => {
    // Those that have ended too: the clock may be set back.
    const rows = (await remembered('locks', () => stored(1))) ?? [];
    const nowMs = clock();
    const holding = rows.filter(({ expires_ms: endMs }) => endMs === null || endMs > nowMs);
    return holding.map((row) => ({
      kind: row.kind,
      value: row.value,
      ofAccounts: row.of_accounts === 1,
      why: row.why,
      by: row.locked_by,
      createdMs: row.created_ms,
      expiresMs: row.expires_ms,
    }));
  };
  return {
    list,
    async heldOn(target) {
      const values = await heldAlike(database.read, target);
      return (await list()).filter(({ kind, value }) => kind === target.kind && values.includes(value));
    },
    put: ({ kind, value, why, by, expiresMs, ofAccounts = false }) =>
      database.durably(async (transaction) => {
        const columns = { why, locked_by: by, created_ms: clock(), expires_ms: expiresMs, ...(ofAccounts && { of_accounts: 1 }) };
        await transaction
          .deleteFrom('locks')
          .where('expires_ms', '<=', clock() - RETENTION_AFTER_END_MS)
          .execute();
        const values = ofAccounts ? [value] : await valuesOf(transaction, { kind, value });
        await transaction
          .insertInto('locks')
          .values(values.map((one) => ({ kind, value: one, of_accounts: 0, ...columns })))
          .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(columns))
          .execute();
        await raiseChangeNumber(transaction, 'lock');
        return values;
      }),
    remove: ({ kind, value, ofAccounts = false }) =>
      database.durably(async (transaction) => {
        const values = await heldAlike(transaction, { kind, value, ofAccounts });
        // Also deletes ended locks: after `unlock`, none holds again if the clock is set back.
        const those = transaction.deleteFrom('locks').where('kind', '=', kind).where('value', 'in', values);
        const rows = await those.returning(['value', 'expires_ms']).execute();
        const removed = rows.filter((row) => row.expires_ms === null || row.expires_ms > clock());
        if (removed.length > 0) await raiseChangeNumber(transaction, 'unlock');
        return removed.map((row) => row.value);
      }),
  };
}

/** For accounts: all locks on the same account, or on all accounts, whatever the name of their provider was. */
async function heldAlike(db: Kysely<Tables>, { kind, value, ofAccounts = false }: HeldTarget): Promise<readonly string[]> {
  if (!ofAccounts) return await valuesOf(db, { kind, value });
  const named = (one: string): string => (kind === 'idp' ? '' : one.slice(0, one.lastIndexOf('@') + 1));
  const rows = await db.selectFrom('locks').select('value').where('kind', '=', kind).where('of_accounts', '=', 1).execute();
  return [...new Set([value, ...rows.map((row) => row.value).filter((one) => named(one) === named(value))])];
}

/** The value itself, then the other names of the same person. */
async function valuesOf(db: Kysely<Tables>, { kind, value }: LockTarget): Promise<readonly string[]> {
  const at = value.lastIndexOf('@');
  if (kind !== 'principal' || at < 0) return [value];
  const idp = value.slice(at + 1);
  const names = await namesOfSame(db, { idp, name: value.slice(0, at) });
  return [...new Set([value, ...names.map((name) => `${name}@${idp}`)])];
}
