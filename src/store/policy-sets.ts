// Own policies that came into force: full texts, author and time. The newest set is in force.
import type { Clock } from '../contract/clock.ts';
import type { PolicyFiles } from '../contract/policy-files.ts';
import { raiseChangeNumber } from './changes.ts';
import type { Database } from './database.ts';

export interface PolicySet {
  /** The first revision with this set. The set is in force until the first revision of the next one. */
  readonly revision: number;
  readonly files: PolicyFiles;
  /** Who applied it, `local:NAME`. */
  readonly by: string;
  /** The reason that the author gave; empty: none. */
  readonly why: string;
  readonly createdMs: number;
}

export interface PolicySets {
  put(set: Omit<PolicySet, 'createdMs'>): Promise<void>;
  /** It did not come into force after all. */
  forget(revision: number): Promise<void>;
  latest(): Promise<PolicySet | undefined>;
  /** The set that was in force at a revision. */
  at(revision: number): Promise<PolicySet | undefined>;
  /** Newest first. */
  list(): Promise<readonly PolicySet[]>;
  /** Newest first, without the texts. `before`: the `createdMs` of the last one of the page before. */
  heads(page: { readonly limit: number; readonly before: number | undefined }): Promise<readonly PolicySetHead[]>;
  /** How many sets are stored, and the revisions of the first and the last one. */
  span(): Promise<{ readonly count: number; readonly oldest: number | null; readonly newest: number | null }>;
}

export type PolicySetHead = Omit<PolicySet, 'files'>;

/** Lictor deletes the oldest sets. The ledger has the record of each. */
export const MOST_SETS = 1_000;

export function createPolicySets(database: Database, clock: Clock): PolicySets {
  const newest = () => database.read.selectFrom('policy_sets').selectAll().orderBy('created_ms', 'desc').orderBy('revision', 'desc');
  return {
    put: ({ revision, files, by, why }) =>
      database.durably(async (transaction) => {
        const last = await transaction.selectFrom('policy_sets').select('created_ms').orderBy('created_ms', 'desc').limit(1).executeTakeFirst();
        // If the clock was set back, an older set must not be the newest, which is in force.
        const createdMs = Math.max(clock(), (last?.created_ms ?? 0) + 1);
        const columns = { files: JSON.stringify(files), applied_by: by, why, created_ms: createdMs };
        await transaction
          .insertInto('policy_sets')
          .values({ revision, ...columns })
          .onConflict((conflict) => conflict.column('revision').doUpdateSet(columns))
          .execute();
        const newest = transaction.selectFrom('policy_sets').select('revision').orderBy('created_ms', 'desc').orderBy('revision', 'desc').limit(MOST_SETS);
        await transaction.deleteFrom('policy_sets').where('revision', 'not in', newest).execute();
        await raiseChangeNumber(transaction, 'policies applied');
      }),
    async forget(revision) {
      await database.durably((transaction) => transaction.deleteFrom('policy_sets').where('revision', '=', revision).execute());
    },
    async latest() {
      const row = await newest().limit(1).executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    async at(revision) {
      const row = await newest().where('revision', '<=', revision).limit(1).executeTakeFirst();
      return row === undefined ? undefined : parseRow(row);
    },
    list: async () => (await newest().execute()).map(parseRow),
    async heads({ limit, before = Number.MAX_SAFE_INTEGER }) {
      const heads = database.read.selectFrom('policy_sets').select(['revision', 'applied_by', 'why', 'created_ms']).where('created_ms', '<', before);
      return (await heads.orderBy('created_ms', 'desc').limit(limit).execute()).map(headOf);
    },
    async span() {
      const revisions = await database.read.selectFrom('policy_sets').select('revision').orderBy('created_ms', 'desc').orderBy('revision', 'desc').execute();
      return { count: revisions.length, oldest: revisions.at(-1)?.revision ?? null, newest: revisions[0]?.revision ?? null };
    },
  };
}

interface Row {
  readonly revision: number;
  readonly files: string;
  readonly applied_by: string;
  readonly why: string;
  readonly created_ms: number;
}

function parseRow(row: Row): PolicySet {
  const value: unknown = JSON.parse(row.files);
  const files = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const texts = files.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { ...headOf(row), files: Object.fromEntries(texts) };
}

function headOf(row: Omit<Row, 'files'>): PolicySetHead {
  return { revision: row.revision, by: row.applied_by, why: row.why, createdMs: row.created_ms };
}
