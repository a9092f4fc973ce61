// Names that somebody of a provider had before: whoever is called so next is not taken for them, and a lock goes along to the new name.
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Identity } from '../contract/identity.ts';
import { notNull } from './columns.ts';
import type { Tables } from './tables.ts';

type Named = Pick<Identity, 'idp' | 'subject' | 'name'>;

/** Step of the schema. Names that were given up before it are nobody's. */
export async function addFormerNames(db: Transaction<Tables>): Promise<void> {
  await db.schema
    .createTable('former_names')
    .addColumn('idp', 'text', notNull)
    .addColumn('name', 'text', notNull)
    .addColumn('subject', 'text', notNull)
    .addPrimaryKeyConstraint('former_names_key', ['idp', 'name'])
    .execute();
}

/** Another subject of the provider has the name, or had it. */
export async function isNameOfAnother(db: Kysely<Tables>, { idp, subject, name }: Named): Promise<boolean> {
  const holder = await db.selectFrom('identities').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  const former = await db.selectFrom('former_names').select('subject').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return [holder, former].some((one) => one !== undefined && one.subject !== subject);
}

/** Within the transaction that gives somebody another name: the one of before stays theirs. */
export async function keepFormerName(db: Kysely<Tables>, { idp, subject, name }: Named, next: string): Promise<void> {
  await db
    .insertInto('former_names')
    .values({ idp, name, subject })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await lockAlso(db, `${name}@${idp}`, `${next}@${idp}`);
}

/** From now on anybody may be called so. False: nobody was. */
export async function freeFormerName(db: Kysely<Tables>, { idp, name }: Omit<Named, 'subject'>): Promise<boolean> {
  const freed = await db.deleteFrom('former_names').where('idp', '=', idp).where('name', '=', name).executeTakeFirst();
  return Number(freed.numDeletedRows) > 0;
}

/** Whoever is locked stays so, by a lock of its own that `lictor locks` shows; of two the longer one holds. */
async function lockAlso(db: Kysely<Tables>, from: string, to: string): Promise<void> {
  const locks = db.selectFrom('locks').selectAll().where('kind', '=', 'principal');
  const lock = await locks.where('value', '=', from).executeTakeFirst();
  const there = await locks.where('value', '=', to).executeTakeFirst();
  if (lock === undefined || endOf(lock) <= endOf(there)) return;
  const row = { ...lock, value: to, of_accounts: 0 };
  await db
    .insertInto('locks')
    .values(row)
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(row))
    .execute();
}

function endOf(lock: Selectable<Tables['locks']> | undefined): number {
  return lock === undefined ? 0 : (lock.expires_ms ?? Number.POSITIVE_INFINITY);
}
