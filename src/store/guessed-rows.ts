// Rows that any client can create: few, and one address (IPv6: the network of a subscriber) cannot replace those of others.
import type { Kysely } from 'kysely';
import { byCame } from './columns.ts';
import type { Tables } from './tables.ts';

interface Room {
  readonly guesser: string;
  readonly limits: { readonly rows: number; readonly perAddress: number };
}

/** For one more row: deletes the oldest ones beyond a limit, of the address and of all. */
export async function makeRoom(db: Kysely<Tables>, table: 'login_attempts' | 'device_codes', { guesser, limits }: Room): Promise<void> {
  const own = db.selectFrom(table).select('id').where('guesser', '=', guesser).orderBy(byCame, 'desc');
  await db
    .deleteFrom(table)
    .where('id', 'in', own.limit(limits.rows).offset(limits.perAddress - 1))
    .execute();
  const { count } = await db.selectFrom(table).select(db.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const surplus = Number(count) - limits.rows + 1;
  if (surplus <= 0) return;
  await db
    .deleteFrom(table)
    .where('id', 'in', (query) => query.selectFrom(table).select('id').orderBy(byCame).limit(surplus))
    .execute();
}
