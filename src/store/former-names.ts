// Former names of a provider's people: no other subject gets such a name, and a lock on one name of a person covers all.
import type { Kysely, Selectable } from 'kysely';
import type { Identity } from '../contract/identity.ts';
import type { Tables } from './tables.ts';

type Named = Pick<Identity, 'idp' | 'subject' | 'name'>;

/** True if another subject of the provider has or had the name. */
export async function isNameOfAnother(db: Kysely<Tables>, { idp, subject, name }: Named): Promise<boolean> {
  const holder = await db.selectFrom('identities').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  const former = await db.selectFrom('former_names').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return [holder, former].some((one) => one !== undefined && one.subject !== subject);
}

/** All names of the person with this present or former name, the present one first. Empty: no such person. */
export async function namesOfSame(db: Kysely<Tables>, { idp, name }: Omit<Named, 'subject'>): Promise<readonly string[]> {
  const people = db.selectFrom('identities').select(['subject', 'name']).where('idp', '=', idp);
  const before = db.selectFrom('former_names').select(['subject', 'name']).where('idp', '=', idp);
  const known = (await people.where('name', '=', name).executeTakeFirst()) ?? (await before.where('name', '=', name).executeTakeFirst());
  if (known === undefined) return [];
  const now = await people.where('subject', '=', known.subject).execute();
  const then = await before.where('subject', '=', known.subject).orderBy('name').execute();
  return [...new Set([...now, ...then].map((row) => row.name))];
}

/** Call it in the transaction that changes a name: the former name stays reserved. */
export async function keepFormerName(db: Kysely<Tables>, { idp, subject, name }: Named, next: string): Promise<void> {
  await db
    .insertInto('former_names')
    .values({ idp, name, subject })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const names = new Set([...(await namesOfSame(db, { idp, name })), next]);
  await lockAlike(
    db,
    [...names].map((one) => `${one}@${idp}`),
  );
}

/** Releases the name. False: it was not reserved. */
export async function freeFormerName(db: Kysely<Tables>, { idp, name }: Omit<Named, 'subject'>): Promise<boolean> {
  const freed = await db.deleteFrom('former_names').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return Number(freed.numDeletedRows) > 0;
}

/**
 * A lock continues on each name of the person, and `lictor locks` shows all of them: a run stores the name that a person had at its start.
 * Of several locks, the longest holds.
 */
async function lockAlike(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  const held = await db.selectFrom('locks').selectAll().where('kind', '=', 'principal').where('value', 'in', ids).execute();
  const longest = held.toSorted((a, b) => endOf(b) - endOf(a))[0];
  if (longest === undefined) return;
  for (const value of ids) {
    if (held.some((lock) => lock.value === value && endOf(lock) === endOf(longest))) continue;
    // A lock on accounts stays one: the id may have belonged to the accounts before.
    const { of_accounts: _, ...row } = { ...longest, value };
    await db
      .insertInto('locks')
      .values({ ...row, of_accounts: 0 })
      .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(row))
      .execute();
  }
}

function endOf(lock: Selectable<Tables['locks']>): number {
  return lock.expires_ms ?? Number.POSITIVE_INFINITY;
}
