// A deployment that names a queue and no pool: where Prefect would put it is looked up first, so that what is decided on is what happens.
import { field, isBlank, type JsonObject } from '../../contract/json/tree.ts';
import type { Lookup } from './family.ts';

/** Where Prefect makes a queue that no pool has. */
const AGENTS_POOL = 'default-agent-pool';

export interface Placed {
  /** With the pool that it comes to: what is decided on. */
  readonly body: JsonObject;
  /** What Prefect gets: the same, or as it was where the queue is still to be made. */
  readonly sent: JsonObject;
}

/**
 * Prefect takes the queue of that name of the pool for agents; without such a pool, of whichever pool has one (`ensure_work_queue_exists` of
 * models/work_queues.py, 3.9.1). `isMade`: null is no pool either; in a change it takes the deployment out of all of them.
 */
export async function placed(body: JsonObject, lookup: Lookup, { isMade }: { readonly isMade: boolean }): Promise<Placed> {
  const queue = field(body, 'work_queue_name');
  const pool = field(body, 'work_pool_name');
  const isAlone = pool === undefined || pool === '' || (isMade && pool === null);
  if (isBlank(queue) || !isAlone) return { body, sent: body };
  const found = typeof queue === 'string' ? await lookup(`/api/work_queues/name/${encodeURIComponent(queue)}`) : null;
  const known = field(found, 'work_pool_name');
  const whole = { ...body, work_pool_name: typeof known === 'string' ? known : AGENTS_POOL };
  return { body: whole, sent: typeof known === 'string' ? whole : body };
}
