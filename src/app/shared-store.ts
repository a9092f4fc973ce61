// The nodes that share the store, as this one sees them: which live, what they decide by, who does what, and how their records arrive.
import type { SharedNode, SharedStore } from '../contract/shared-store.ts';
import type { OtherNode, ReplicationStatus } from '../record/replication/protocol.ts';
import type { KnownNode } from '../store/nodes.ts';
import type { SeenNodes } from './membership.ts';
import type { ProcessServices } from './process-services.ts';

/** A node signs a new head every minute. */
const LATE_MS = 5 * 60_000;

export interface SharedStoreParts {
  readonly node: string;
  readonly seen: SeenNodes;
  readonly replicated: ReplicationStatus;
}

/** Null: no other node can use the store. */
export function sharedStoreOf({ membership, replication }: Pick<ProcessServices, 'membership' | 'replication'>, node: string): SharedStore | null {
  if (membership === null || replication === null) return null;
  return describeSharedStore({ node, seen: membership.seen(), replicated: replication.status() });
}

export function describeSharedStore({ node, seen, replicated }: SharedStoreParts): SharedStore {
  const { waiting, problem, nodes: chains } = replicated;
  const own = seen.nodes.find(({ name }) => name === node);
  const names = new Set([...seen.nodes, ...chains.map(({ node: name }) => ({ name }))].map(({ name }) => name));
  return {
    ...{ waiting_records: waiting.records, waiting_since: waiting.since, problem },
    nodes: [...names].sort().map((name): SharedNode => {
      const known = seen.nodes.find((one) => one.name === name);
      const live = known?.isLive ?? false;
      const chain = chains.find((one) => one.node === name);
      return {
        ...{ name, live, version: known?.version ?? null, started_at: timeOf(known?.startedMs), last_seen_at: timeOf(known?.seenMs) },
        duties: live ? seen.duties.flatMap((each) => (each.node === name ? [each.duty] : [])) : [],
        ...sameAs(own, known),
        chain: chain === undefined ? null : chainOf(chain, live),
      };
    }),
  };
}

/** Whether both decide by the same. A node that starts does not know its policies yet. */
function sameAs(own: KnownNode | undefined, other: KnownNode | undefined): Pick<SharedNode, 'same_configuration' | 'same_policies'> {
  const [ours, theirs] = [own, other].map((one) => one?.configuration.split('/') ?? []);
  const same = (index: number): boolean | null => (ours?.[index] === undefined || theirs?.[index] === undefined ? null : ours[index] === theirs[index]);
  return { same_configuration: same(0), same_policies: same(1) };
}

function chainOf({ behind, headAt, silentMs, problem }: OtherNode, live: boolean): SharedNode['chain'] {
  return { behind_records: behind, head_at: headAt, silent_seconds: Math.floor(silentMs / 1000), late: live && silentMs > LATE_MS, problem };
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
