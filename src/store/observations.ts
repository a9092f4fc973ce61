// Observe mode: when each observation began, and who has left it.
import type { Clock } from '../contract/clock.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';

/** A role, or a member as lictor.yaml writes it, whose decisions are enforced although the configuration says `observe`. */
export interface Enforcement {
  readonly subject: string;
  readonly by: string;
  readonly createdMs: number;
}

export interface Observations {
  /** The beginning of each observation, in epoch milliseconds. */
  begun(): Promise<ReadonlyMap<string, number>>;
  /** Begins those that have not begun, and ends all others. An observation that goes on keeps its beginning. */
  keep(names: readonly string[]): Promise<void>;
  enforced(): Promise<readonly Enforcement[]>;
  /** False: it was enforced already. */
  enforce(subject: string, by: string): Promise<boolean>;
  /** False: it was not enforced. */
  observeAgain(subject: string): Promise<boolean>;
}

export function createObservations(database: Database, clock: Clock): Observations {
  const beginnings = prepareRead(database, database.read.selectFrom('observations').selectAll());
  const enforcements = prepareRead(database, database.read.selectFrom('enforcements').selectAll().orderBy('created_ms').orderBy('subject'));
  return {
    begun: async () => new Map((await beginnings()).map(({ name, begun_ms }) => [name, begun_ms])),
    keep: (names) =>
      database.durably(async (transaction) => {
        await transaction
          .deleteFrom('observations')
          .where('name', 'not in', [...names, ''])
          .execute();
        for (const name of names) {
          await transaction
            .insertInto('observations')
            .values({ name, begun_ms: clock() })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
      }),
    enforced: async () => (await enforcements()).map(({ subject, enforced_by, created_ms }) => ({ subject, by: enforced_by, createdMs: created_ms })),
    enforce: (subject, by) =>
      database.durably(async (transaction) => {
        const inserted = await transaction
          .insertInto('enforcements')
          .values({ subject, enforced_by: by, created_ms: clock() })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        const isNew = Number(inserted.numInsertedOrUpdatedRows) === 1;
        if (isNew) await raiseChangeNumber(transaction, `enforced: ${subject}`);
        return isNew;
      }),
    observeAgain: (subject) =>
      database.durably(async (transaction) => {
        const removed = await transaction.deleteFrom('enforcements').where('subject', '=', subject).executeTakeFirst();
        const isGone = Number(removed.numDeletedRows) === 1;
        if (isGone) await raiseChangeNumber(transaction, `observed again: ${subject}`);
        return isGone;
      }),
  };
}
