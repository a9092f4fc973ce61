// Locks: who and what is shut out, until when. Setting and taking one away raises the change number. One that has ended is kept for a day, and holds again
// where the clock that said so is put back.

import type { Kysely } from 'kysely';
import { type Clock, KEPT_AFTER_END_MS } from '../contract/clock.ts';
import type { Lock, LockTarget, NewLock } from '../contract/lock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { namesOfSame } from './former-names.ts';
import { prepareRead } from './prepared-read.ts';
import type { Tables } from './tables.ts';

/** Left out, `ofAccounts` is false: it is of no account. */
export type HeldTarget = LockTarget & Partial<Pick<Lock, 'ofAccounts'>>;

export interface Locks {
  /**
   * A lock on the same target is replaced; where one of them is on accounts, both are. On a person who had other names it is one on each of
   * them, since whom a run acts for is written down by the name of then. Answers the values that are locked now.
   */
  put(lock: NewLock): Promise<readonly string[]>;
  /** With those on other names of the same person. Answers the values; empty: there was none that holds. */
  remove(target: HeldTarget): Promise<readonly string[]>;
  /** What `remove` would take away of those that hold. */
  heldOn(target: HeldTarget): Promise<readonly Lock[]>;
  /** Those that hold now, oldest first. */
  list(): Promise<readonly Lock[]>;
}

export function createLocks(database: Database, clock: Clock): Locks {
  const holding = prepareRead(
    database.read,
    database.read
      .selectFrom('locks')
      .selectAll()
      .where((where) => where.or([where('expires_ms', 'is', null), where('expires_ms', '>', 0)]))
      .orderBy('created_ms')
      .orderBy('value'),
  );
  const list = async (): Promise<readonly Lock[]> => {
    const rows = await holding(clock());
    return rows.map((row) => ({
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
          .where('expires_ms', '<=', clock() - KEPT_AFTER_END_MS)
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
        // Those that have ended go too: whoever is unlocked stays so when the clock is put back.
        const those = transaction.deleteFrom('locks').where('kind', '=', kind).where('value', 'in', values);
        const rows = await those.returning(['value', 'expires_ms']).execute();
        const removed = rows.filter((row) => row.expires_ms === null || row.expires_ms > clock());
        if (removed.length > 0) await raiseChangeNumber(transaction, 'unlock');
        return removed.map((row) => row.value);
      }),
  };
}

/** On accounts: all that are on the same one, or on all of them, by whatever their provider was called when each was set. */
async function heldAlike(db: Kysely<Tables>, { kind, value, ofAccounts = false }: HeldTarget): Promise<readonly string[]> {
  if (!ofAccounts) return await valuesOf(db, { kind, value });
  const named = (one: string): string => (kind === 'idp' ? '' : one.slice(0, one.lastIndexOf('@') + 1));
  const rows = await db.selectFrom('locks').select('value').where('kind', '=', kind).where('of_accounts', '=', 1).execute();
  return [...new Set([value, ...rows.map((row) => row.value).filter((one) => named(one) === named(value))])];
}

/** The value itself first, then by which names the same person is known beside it. */
async function valuesOf(db: Kysely<Tables>, { kind, value }: LockTarget): Promise<readonly string[]> {
  const at = value.lastIndexOf('@');
  if (kind !== 'principal' || at < 0) return [value];
  const idp = value.slice(at + 1);
  const names = await namesOfSame(db, { idp, name: value.slice(0, at) });
  return [...new Set([value, ...names.map((name) => `${name}@${idp}`)])];
}
