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

export interface Locks {
  /**
   * A lock on the same target is replaced; where one of them is on accounts, both are. On a person who had other names it is one on each of
   * them, since whom a run acts for is written down by the name of then. Answers the values that are locked now.
   */
  put(lock: NewLock): Promise<readonly string[]>;
  /** With those on other names of the same person. Answers the values; empty: there was none that holds. */
  remove(target: LockTarget): Promise<readonly string[]>;
  /** What `remove` would take away of those that hold. */
  heldOn(target: LockTarget): Promise<readonly Lock[]>;
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
    remove: ({ kind, value }) =>
      database.durably(async (transaction) => {
        const values = await heldAlike(transaction, { kind, value });
        // Those that have ended go too: whoever is unlocked stays so when the clock is put back.
        const those = transaction.deleteFrom('locks').where('kind', '=', kind).where('value', 'in', values);
        const rows = await those.returning(['value', 'expires_ms']).execute();
        const removed = rows.filter((row) => row.expires_ms === null || row.expires_ms > clock());
        if (removed.length > 0) await raiseChangeNumber(transaction, 'unlock');
        return removed.map((row) => row.value);
      }),
  };
}

/** And where one of them is on an account, those that are on the same account by what its provider was called before. */
async function heldAlike(db: Kysely<Tables>, target: LockTarget): Promise<readonly string[]> {
  const values = await valuesOf(db, target);
  const named = (value: string): string => value.slice(0, value.lastIndexOf('@') + 1);
  if (target.kind !== 'principal') return values;
  const onAccounts = (await db.selectFrom('locks').select('value').where('kind', '=', 'principal').where('of_accounts', '=', 1).execute()).map(
    (row) => row.value,
  );
  const names = new Set(onAccounts.filter((value) => values.includes(value)).map(named));
  return [...new Set([...values, ...onAccounts.filter((value) => names.has(named(value)))])];
}

/** The value itself first, then by which names the same person is known beside it. */
async function valuesOf(db: Kysely<Tables>, { kind, value }: LockTarget): Promise<readonly string[]> {
  const at = value.lastIndexOf('@');
  if (kind !== 'principal' || at < 0) return [value];
  const idp = value.slice(at + 1);
  const names = await namesOfSame(db, { idp, name: value.slice(0, at) });
  return [...new Set([value, ...names.map((name) => `${name}@${idp}`)])];
}
