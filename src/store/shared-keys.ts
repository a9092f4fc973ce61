// Keys that all nodes of a gateway need. Their texts are sealed: who reads the store cannot use them.
import type { Database } from './database.ts';

/** The name of a row that only shows which key sealed the others. */
export const SEAL_CHECK = 'seal';

export interface SharedKeys {
  /** Undefined: no node has stored it yet. */
  get(name: string): Promise<string | undefined>;
  /** Stores what `work` makes of the stored text. `work` may run again. Answers the new text. */
  change(name: string, work: (sealed: string | undefined) => Promise<string>): Promise<string>;
}

export function createSharedKeys(database: Database): SharedKeys {
  const query = (db: Pick<Database['read'], 'selectFrom'>, name: string) => db.selectFrom('shared_keys').select('sealed').where('name', '=', name);
  return {
    get: async (name) => (await query(database.read, name).executeTakeFirst())?.sealed,
    change: (name, work) =>
      database.durably(async (transaction) => {
        const sealed = await work((await query(transaction, name).executeTakeFirst())?.sealed);
        await transaction
          .insertInto('shared_keys')
          .values({ name, sealed })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ sealed }))
          .execute();
        return sealed;
      }),
  };
}
