// The nodes of a gateway as one of them sees the others: for the admin API, and for the command line that asks over the admin socket.
import { z } from 'zod';

const count = z.number();
const same = z.boolean().nullable();

const CHAIN = z.strictObject({
  behind_records: count.describe('Records that the newest head of the node covers and the ledger of this node does not have'),
  head_at: z.string().nullable().describe('When the node signed that head, by its own clock; null: it cannot be read'),
  silent_seconds: count.describe('Since a newer head of the node came'),
  late: z.boolean().describe('The node lives, and sends no newer head'),
  problem: z.string().nullable().describe('Why this node does not take the records'),
});

export const SHARED_STORE = z.strictObject({
  waiting_records: count.describe('Records of this node that the store does not have yet'),
  waiting_since: z.string().nullable(),
  problem: z.string().nullable().describe('Why the store does not take records, or gives none'),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      live: z.boolean(),
      version: z.string().nullable().describe('Null: the node was away for more than a week'),
      started_at: z.string().nullable(),
      last_seen_at: z.string().nullable(),
      duties: z.array(z.string()).describe('Work that only one of the nodes does'),
      same_configuration: same.describe('As this node; null: unknown'),
      same_policies: same,
      chain: CHAIN.nullable().describe('Null: this node itself, or no record of the node came yet'),
    }),
  ),
});

export type SharedStore = z.infer<typeof SHARED_STORE>;
export type SharedNode = SharedStore['nodes'][number];

/** Undefined: no such answer. Null: no other node can use the store. */
export function parseSharedStore(text: string): SharedStore | null | undefined {
  try {
    const answer = z.object({ shared_store: SHARED_STORE.nullable() }).safeParse(JSON.parse(text));
    return answer.data?.shared_store;
  } catch {
    return undefined;
  }
}
