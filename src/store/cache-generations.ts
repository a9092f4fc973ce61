// How often the response cache of a service was purged. The number is in the key of each stored answer, so a purge makes all of them unusable.
import { sql } from 'kysely';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';

export interface CacheGenerations {
  /** 0 before the first purge. */
  of(service: string): Promise<number>;
  /** Durable when it resolves; answers the new number. Cached decisions carry the former one: sweep them. */
  purge(service: string): Promise<number>;
}

export function createCacheGenerations(database: Database): CacheGenerations {
  return {
    async of(service) {
      const row = await database.read.selectFrom('cache_generations').select('generation').where('service', '=', service).executeTakeFirst();
      return Number(row?.generation ?? 0);
    },
    purge: (service) =>
      database.durably(async (transaction) => {
        const row = await transaction
          .insertInto('cache_generations')
          .values({ service, generation: 1 })
          .onConflict((conflict) => conflict.column('service').doUpdateSet({ generation: sql<number>`cache_generations.generation + 1` }))
          .returning('generation')
          .executeTakeFirstOrThrow();
        await raiseChangeNumber(transaction, `response cache of ${service} purged`);
        return Number(row.generation);
      }),
  };
}
