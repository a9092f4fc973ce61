// The number of the published configuration and policy set. It increases with each change, and every decision contains it.
import { createHash } from 'node:crypto';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';

export interface Revisions {
  /** `parts`: texts without secrets. A change of one makes a new revision. Nodes with the same parts have the same number. */
  publish(parts: readonly string[]): Promise<number>;
  /** The current number; null before the first publication. */
  published(): Promise<number | null>;
}

export function createRevisions(database: Database): Revisions {
  const last = prepareRead(database, database.read.selectFrom('published_revision').selectAll());
  return {
    async publish(parts) {
      const fingerprint = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
      const [known] = await last();
      if (known?.fingerprint === fingerprint) return known.number;
      return await database.durably(async (transaction) => {
        const before = await transaction.selectFrom('published_revision').selectAll().executeTakeFirst();
        if (before?.fingerprint === fingerprint) return before.number;
        const number = (before?.number ?? 0) + 1;
        await transaction
          .insertInto('published_revision')
          .values({ id: 1, number, fingerprint })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ number, fingerprint }))
          .execute();
        return number;
      });
    },
    published: async () => (await last())[0]?.number ?? null,
  };
}
