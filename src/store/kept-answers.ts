// How often what is kept of a service's answers was thrown away: the number is in the key of each, so nothing from before it is answered again.
import { sql } from 'kysely';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';

export interface KeptAnswersStore {
  /** 0 before the first time. */
  generation(service: string): Promise<number>;
  /** Durable when it resolves; answers the new number. Remembered decisions carry the former one: sweep them. */
  purge(service: string): Promise<number>;
}

export function createKeptAnswers(database: Database): KeptAnswersStore {
  return {
    async generation(service) {
      const row = await database.read.selectFrom('kept_answers').select('generation').where('service', '=', service).executeTakeFirst();
      return Number(row?.generation ?? 0);
    },
    purge: (service) =>
      database.durably(async (transaction) => {
        const row = await transaction
          .insertInto('kept_answers')
          .values({ service, generation: 1 })
          .onConflict((conflict) => conflict.column('service').doUpdateSet({ generation: sql<number>`kept_answers.generation + 1` }))
          .returning('generation')
          .executeTakeFirstOrThrow();
        await raiseChangeNumber(transaction, `kept answers of ${service} thrown away`);
        return Number(row.generation);
      }),
  };
}
