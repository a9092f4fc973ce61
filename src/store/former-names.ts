// Names that somebody of a provider had before: whoever is called so next is not taken for them, and a lock on one name is on all of them.
import type { Kysely, Selectable } from 'kysely';
import type { Identity } from '../contract/identity.ts';
import type { Tables } from './tables.ts';

type Named = Pick<Identity, 'idp' | 'subject' | 'name'>;

/** Another subject of the provider has the name, or had it. */
export async function isNameOfAnother(db: Kysely<Tables>, { idp, subject, name }: Named): Promise<boolean> {
  const holder = await db.selectFrom('identities').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  const former = await db.selectFrom('former_names').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return [holder, former].some((one) => one !== undefined && one.subject !== subject);
}

/** Names of whoever is called so, or was: the present one first. Empty: nobody is known by it. */
export async function namesOfSame(db: Kysely<Tables>, { idp, name }: Omit<Named, 'subject'>): Promise<readonly string[]> {
  const people = db.selectFrom('identities').select(['subject', 'name']).where('idp', '=', idp);
  const before = db.selectFrom('former_names').select(['subject', 'name']).where('idp', '=', idp);
  const known = (await people.where('name', '=', name).executeTakeFirst()) ?? (await before.where('name', '=', name).executeTakeFirst());
  if (known === undefined) return [];
  const now = await people.where('subject', '=', known.subject).execute();
  const then = await before.where('subject', '=', known.subject).orderBy('name').execute();
  return [...new Set([...now, ...then].map((row) => row.name))];
}

/** Within the transaction that gives somebody another name: the one of before stays theirs. */
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

/** From now on anybody may be called so. False: nobody was. */
export async function freeFormerName(db: Kysely<Tables>, { idp, name }: Omit<Named, 'subject'>): Promise<boolean> {
  const freed = await db.deleteFrom('former_names').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return Number(freed.numDeletedRows) > 0;
}

/**
 * Whoever is locked stays so, by a lock on each name, which `lictor locks` shows: whom a run acts for is written down by the name of then.
 * Of several locks the longest holds.
 */
async function lockAlike(db: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  const held = await db.selectFrom('locks').selectAll().where('kind', '=', 'principal').where('value', 'in', ids).execute();
  const longest = held.toSorted((a, b) => endOf(b) - endOf(a))[0];
  if (longest === undefined) return;
  for (const value of ids) {
    if (held.some((lock) => lock.value === value && endOf(lock) === endOf(longest))) continue;
    // What is on accounts stays so: the id may have been theirs before.
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
