// The version of a store in Postgres, which nodes of two neighbouring releases share: who may use it, and how a newer release changes its tables.
import { type Kysely, sql } from 'kysely';
import manifest from '../../package.json' with { type: 'json' };
import { LictorError } from '../contract/error.ts';
import { isOlder } from '../contract/release.ts';
import { GONE_AFTER_MS } from './nodes.ts';
import type { Tables } from './tables.ts';

/** The table with the version of the others. Transactions also take their turns by a lock on it. */
export const VERSION_TABLE = 'lictor_store';

/** What a release changes in the tables of the one before it. */
export interface StoreChange {
  /** Of the store afterwards. */
  readonly version: number;
  /** The oldest release that can use the store afterwards. A change that only adds keeps the release before this one. */
  readonly oldest: string;
  readonly statements: readonly string[];
}

/** A program, and the stores that it can use. */
export interface StoreProgram {
  readonly release: string;
  /** Of the store that it writes. */
  readonly version: number;
  /** The oldest release that can use a store that it creates. */
  readonly oldest: string;
  /** The oldest store that it can change, and a release that writes that store. */
  readonly from: { readonly version: number; readonly release: string };
  readonly changes: readonly StoreChange[];
}

/** A release that changes a table adds its change, and raises `version`. It drops a change only with a new `from`. */
export const THIS_PROGRAM: StoreProgram = {
  release: manifest.version,
  version: 2,
  oldest: '0.1.0',
  from: { version: 1, release: '0.1.0' },
  changes: [
    {
      version: 2,
      oldest: '0.1.0',
      statements: [
        `create table ledger_exports (sink text collate "C" not null, node text collate "C" not null, seq bigint not null, fence bigint,
           constraint ledger_exports_key primary key (sink, node))`,
      ],
    },
  ],
};

interface StoreVersion {
  /** 0: the database has no store yet. */
  readonly version: number;
  readonly oldest: string | null;
}

export interface StorePlan extends StoreVersion {
  readonly changes: readonly StoreChange[];
  /** `NAME (RELEASE)` of live nodes that could not use the store after the changes. */
  readonly tooOld: readonly string[];
  /** The release that those nodes need. */
  readonly needed: string;
}

/** What this program would change. Throws `state-newer`, `store-versions-apart` or `store-corrupt`. */
export async function planOf(db: Kysely<Tables>, program: StoreProgram): Promise<StorePlan> {
  const store = await readVersion(db);
  assertShared(store, program);
  const changes = store.version === 0 ? [] : program.changes.filter(({ version }) => version > store.version);
  const needed = changes.reduce((newest, { oldest }) => (isOlder(newest, oldest) === true ? oldest : newest), '0.0.0');
  const live = changes.length === 0 ? [] : await liveNodes(db);
  const tooOld = live.filter(({ version }) => isOlder(version, needed) !== false).map(({ name, version }) => `${name} (${version})`);
  return { ...store, changes, tooOld, needed };
}

/** Changes an older store in one transaction of `db`. Throws as `planOf`, and `store-older-nodes`: then nothing was changed. */
export async function applyChanges(db: Kysely<Tables>, program: StoreProgram): Promise<void> {
  // A node joins in a transaction that waits for this lock, and then sees the new version.
  await sql`lock table ${sql.table(VERSION_TABLE)} in access exclusive mode`.execute(db);
  const { changes, tooOld, needed } = await planOf(db, program);
  if (tooOld.length > 0) throw olderNodes(tooOld, needed);
  for (const { version, oldest, statements } of changes) {
    for (const statement of statements) await sql.raw(statement).execute(db);
    await sql`update ${sql.table(VERSION_TABLE)} set version = ${version}, oldest = ${oldest}`.execute(db);
  }
}

/** Another node may have changed the store meanwhile. Throws `state-newer`. */
export async function assertStillShared(db: Kysely<Tables>, program: StoreProgram): Promise<void> {
  assertShared(await readVersion(db), program);
}

function assertShared({ version, oldest }: StoreVersion, { release, version: own, from }: StoreProgram): void {
  if (oldest !== null ? isOlder(release, oldest) !== false : version > own) {
    const wanted = oldest === null ? 'a newer Lictor' : `Lictor ${oldest} or newer`;
    throw new LictorError('state-newer', `The store has version ${version} and needs ${wanted}, and this is Lictor ${release}: run ${wanted}.`);
  }
  if (version > 0 && version < from.version)
    throw new LictorError(
      'store-versions-apart',
      `The store has version ${version}, and Lictor ${release} changes stores from version ${from.version} on: upgrade every node to Lictor ${from.release} first.`,
    );
}

async function readVersion(db: Kysely<Tables>): Promise<StoreVersion> {
  const { rows: tables } = await sql<{ readonly name: string | null }>`select to_regclass(${VERSION_TABLE}) as name`.execute(db);
  if (tables[0]?.name == null) return { version: 0, oldest: null };
  const { rows } = await sql<{ readonly version: number; readonly oldest?: string }>`select * from ${sql.table(VERSION_TABLE)}`.execute(db);
  if (rows[0] === undefined) throw new LictorError('store-corrupt', `The table ${VERSION_TABLE} of the store is empty: restore a backup.`);
  return { version: rows[0].version, oldest: rows[0].oldest ?? null };
}

async function liveNodes(db: Kysely<Tables>): Promise<readonly { readonly name: string; readonly version: string }[]> {
  const { rows } = await sql<{ readonly name: string; readonly version: string }>`select name, version from nodes
    where seen_ms > extract(epoch from clock_timestamp()) * 1000 - ${GONE_AFTER_MS} order by name`.execute(db);
  return rows;
}

function olderNodes(nodes: readonly string[], needed: string): LictorError {
  return new LictorError(
    'store-older-nodes',
    `The store was not changed, because nodes run that could not use it then: ${nodes.join(', ')}. Upgrade them to Lictor ${needed} first, or stop them.`,
  );
}
