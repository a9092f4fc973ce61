// The nodes of a gateway that share this store. Each says every few seconds that it lives.
import type { Clock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { OpenedDatabase } from './database.ts';

export interface Node {
  readonly name: string;
  /** Of the node's state directory, over restarts. */
  readonly instance: string;
  readonly version: string;
  /** Digests of what is in use: of the configuration, and of the own policies after a slash. */
  readonly configuration: string;
}

export interface KnownNode extends Node {
  readonly startedMs: number;
  readonly seenMs: number;
  readonly isLive: boolean;
}

export interface HeldBy {
  readonly duty: string;
  readonly node: string;
}

export interface Nodes {
  /** Answers the time, by which the row knows its process. Throws `node-name-taken` if a live node with another state directory has this name; `state-newer`. */
  join(node: Node): Promise<number>;
  /** This process lives. False: another process has joined under its name. Throws `state-newer` if the store is no longer one of this release. */
  beat(node: Node, startedMs: number): Promise<boolean>;
  /** Those of the last week, by name. One that has ended cleanly is not among them. */
  recent(): Promise<readonly KnownNode[]>;
  /** Who took each duty last. That node may be gone. */
  duties(): Promise<readonly HeldBy[]>;
  /** At a clean stop. The name is free at once, unless another process has joined under it. */
  leave(node: Pick<Node, 'name' | 'instance'>, startedMs: number): Promise<void>;
}

export const BEAT_MS = 2_000;
/** A node that has been silent for so long counts as gone. */
export const GONE_AFTER_MS = 10_000;
/** A node that has been away for so long is forgotten. */
export const ABSENT_MS = 7 * 86_400_000;
/** Names that crashed nodes leave are no reason to read without end. */
const MOST_NODES = 200;

export function createNodes(database: OpenedDatabase, clock: Clock): Nodes {
  return {
    join: (node) =>
      database.durably(async (transaction) => {
        await database.assertUsable(transaction);
        const nowMs = clock();
        const other = await transaction.selectFrom('nodes').select(['instance', 'seen_ms', 'started_ms']).where('name', '=', node.name).executeTakeFirst();
        if (other !== undefined && other.instance !== node.instance && other.seen_ms > nowMs - GONE_AFTER_MS) throw taken(node.name);
        // A process and its successor may join in one millisecond.
        const startedMs = Math.max(nowMs, (other?.started_ms ?? 0) + 1);
        const columns = { ...node, started_ms: startedMs, seen_ms: nowMs };
        await transaction
          .insertInto('nodes')
          .values(columns)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
          .execute();
        return startedMs;
      }),
    beat: ({ name, instance, configuration }, startedMs) =>
      database.write(async (transaction) => {
        await database.assertUsable(transaction);
        const row = transaction.updateTable('nodes').set({ seen_ms: clock(), configuration }).where('name', '=', name).where('instance', '=', instance);
        const mine = row.where('started_ms', '=', startedMs);
        return (await mine.executeTakeFirst()).numUpdatedRows > 0n;
      }),
    async recent() {
      const nowMs = clock();
      const rows = await database.read
        .selectFrom('nodes')
        .select(['name', 'instance', 'version', 'configuration', 'started_ms', 'seen_ms'])
        .where('seen_ms', '>', nowMs - ABSENT_MS)
        .orderBy('seen_ms', 'desc')
        .limit(MOST_NODES)
        .execute();
      const known = rows.map(({ started_ms, seen_ms, ...node }) => ({
        ...{ ...node, startedMs: started_ms, seenMs: seen_ms },
        isLive: seen_ms > nowMs - GONE_AFTER_MS,
      }));
      return known.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    duties: () => database.read.selectFrom('duties').select(['name as duty', 'holder as node']).orderBy('name').execute(),
    leave: ({ name, instance }, startedMs) =>
      database.durably(async (transaction) => {
        const row = transaction.deleteFrom('nodes').where('name', '=', name).where('instance', '=', instance);
        await row.where('started_ms', '=', startedMs).execute();
      }),
  };
}

function taken(name: string): LictorError {
  return new LictorError(
    'node-name-taken',
    `Another node named ${name} runs on this store: give each node its own name (the key node), or stop the other one.`,
  );
}
