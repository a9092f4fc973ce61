// The change number grows with every security change, in the same transaction. Readers watch it and sweep their caches.
import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { LictorError } from '../contract/error.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';
import type { Tables } from './tables.ts';

/** Above every number that a store reaches. */
const OTHER_SERVER = 2 ** 40;

/**
 * Answers a function that reads the current number. It also changes when another Postgres server answers: a standby that was promoted may lack changes,
 * and count to the same number by others.
 */
export function createChangeNumber(database: Pick<Database, 'read' | 'select' | 'remembered'>): () => Promise<number> {
  const server = database.remembered === undefined ? sql<string>`''` : sql<string>`extract(epoch from pg_postmaster_start_time())::text`;
  const read = prepareRead(database, database.read.selectFrom('change_number').select(['number', server.as('server')]));
  let [last, others]: [string | undefined, number] = [undefined, 0];
  return sharedRead(async () => {
    const [row] = await read();
    if (row === undefined) throw new LictorError('store-corrupt', 'The store has no change number.');
    if (last !== undefined && last !== row.server) others += 1;
    last = row.server;
    const number = others * OTHER_SERVER + Number(row.number);
    database.remembered?.seen(number);
    return number;
  });
}

/** A store that is slow or hangs delays no caller for longer than this. */
const LONGEST_WAIT_MS = 20;

/**
 * Callers during a read share the next one, which begins later than their calls. So a busy node does not read more often, and no caller gets a number
 * of before its call.
 */
function sharedRead(read: () => Promise<number>): () => Promise<number> {
  let current: Promise<unknown> | undefined;
  let next: Promise<number> | undefined;
  const start = (): Promise<number> => {
    next = undefined;
    const started = read();
    const ended = started.then(ignore, ignore).then(() => {
      if (current === ended) current = undefined;
    });
    current = ended;
    return started;
  };
  return () => {
    if (current === undefined) return start();
    next ??= Promise.race([current, pause(LONGEST_WAIT_MS)]).then(start);
    return next;
  };
}

function ignore(): void {}

/** Raises the number within a transaction. `reason` explains it to a reader of the store; never a secret. */
export async function raiseChangeNumber(db: Kysely<Tables>, reason: string): Promise<number> {
  const row = await db.updateTable('change_number').set({ number: sql<number>`number + 1`, reason }).returning('number').executeTakeFirstOrThrow();
  return Number(row.number);
}
