// A deployment that names a queue without a pool: Lictor looks up the pool that Prefect would choose, and decides on that pool.
import { field, isBlank, type JsonObject } from '../../contract/json/tree.ts';
import type { Lookup } from './handler.ts';

/** Prefect creates a queue in this pool if no pool has it. */
const AGENTS_POOL = 'default-agent-pool';

export interface Placement {
  /** With the pool that Prefect would choose. Lictor decides on it. */
  readonly body: JsonObject;
  /** What Prefect gets: `body`, or the client's own body if Prefect still has to create the queue. */
  readonly sent: JsonObject;
}

/**
 * Prefect takes the queue of that name in the pool for agents, or else in any pool that has one (`ensure_work_queue_exists` of
 * models/work_queues.py, 3.9.1). In a new deployment, a null pool means no pool. In a change, it removes the deployment from its pool.
 */
export async function placeInPool(body: JsonObject, lookup: Lookup, { isNew }: { readonly isNew: boolean }): Promise<Placement> {
  const queue = field(body, 'work_queue_name');
  const pool = field(body, 'work_pool_name');
  const hasNoPool = pool === undefined || pool === '' || (isNew && pool === null);
  if (isBlank(queue) || !hasNoPool) return { body, sent: body };
  const found = typeof queue === 'string' ? await lookup(`/api/work_queues/name/${encodeURIComponent(queue)}`) : null;
  const known = field(found, 'work_pool_name');
  const whole = { ...body, work_pool_name: typeof known === 'string' ? known : AGENTS_POOL };
  return { body: whole, sent: typeof known === 'string' ? whole : body };
}
