// The nodes of a gateway that share this store. Each says every few seconds that it lives.
import type { Clock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { Database } from './database.ts';

export interface Node {
  readonly name: string;
  /** Of the node's state directory, over restarts. */
  readonly instance: string;
  readonly version: string;
  /** Digest of the configuration in use. */
  readonly configuration: string;
}

export interface LiveNode extends Node {
  readonly startedMs: number;
  readonly seenMs: number;
}

export interface Nodes {
  /** Throws `node-name-taken` if a live node with another state directory has this name. */
  join(node: Node): Promise<void>;
  /** This node lives. False: another one has taken its name. */
  beat(node: Node): Promise<boolean>;
  /** By name. */
  live(): Promise<readonly LiveNode[]>;
  /** At a clean stop. The name is free at once. */
  leave(node: Pick<Node, 'name' | 'instance'>): Promise<void>;
}

export const BEAT_MS = 2_000;
/** A node that has been silent for so long counts as gone. */
export const GONE_AFTER_MS = 10_000;

export function createNodes(database: Database, clock: Clock): Nodes {
  return {
    join: (node) =>
      database.durably(async (transaction) => {
        const nowMs = clock();
        const other = await transaction.selectFrom('nodes').select(['instance', 'seen_ms']).where('name', '=', node.name).executeTakeFirst();
        if (other !== undefined && other.instance !== node.instance && other.seen_ms > nowMs - GONE_AFTER_MS) throw taken(node.name);
        const columns = { ...node, started_ms: nowMs, seen_ms: nowMs };
        await transaction
          .insertInto('nodes')
          .values(columns)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
          .execute();
      }),
    beat: ({ name, instance, configuration }) =>
      database.write(async (transaction) => {
        const mine = transaction.updateTable('nodes').set({ seen_ms: clock(), configuration }).where('name', '=', name).where('instance', '=', instance);
        return (await mine.executeTakeFirst()).numUpdatedRows > 0n;
      }),
    async live() {
      const rows = await database.read
        .selectFrom('nodes')
        .select(['name', 'instance', 'version', 'configuration', 'started_ms', 'seen_ms'])
        .where('seen_ms', '>', clock() - GONE_AFTER_MS)
        .orderBy('name')
        .execute();
      return rows.map(({ started_ms, seen_ms, ...node }) => ({ ...node, startedMs: started_ms, seenMs: seen_ms }));
    },
    leave: ({ name, instance }) =>
      database.durably(async (transaction) => {
        await transaction.deleteFrom('nodes').where('name', '=', name).where('instance', '=', instance).execute();
      }),
  };
}

function taken(name: string): LictorError {
  return new LictorError(
    'node-name-taken',
    `Another node named ${name} runs on this store: give each node its own name (the key node), or stop the other one.`,
  );
}
