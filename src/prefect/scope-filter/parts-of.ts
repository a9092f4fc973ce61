// The flow, pool and queue of a run or deployment: an event about a run or deployment may name only these.

import { type JsonObject, objectsIn } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { Lookup } from '../client/lookup.ts';
import { textOf } from './scope-filter.ts';

export interface Mention {
  readonly type: ResourceType;
  readonly id: string;
}

export const PARTS: readonly ResourceType[] = ['Flow', 'WorkPool', 'WorkQueue'];
export const WHOLES: readonly ResourceType[] = ['FlowRun', 'Deployment'];

export function keyOf({ type, id }: Mention): string {
  return `${type} ${id}`;
}

/** By the key of each run and deployment, the keys of its parts. An absent object has none. */
export async function partsOf(lookup: Lookup, wholes: readonly Mention[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const parts = new Map<string, ReadonlySet<string>>();
  const ids = (type: ResourceType) => [...new Set(wholes.flatMap((whole) => (whole.type === type ? [whole.id] : [])))];
  for (const run of await found(lookup, '/api/flow_runs/filter', 'flow_runs', ids('FlowRun'))) parts.set(`FlowRun ${textOf(run, 'id')}`, partsIn(run));
  const deployments = await found(lookup, '/api/deployments/filter', 'deployments', ids('Deployment'));
  const pools = await poolIds(lookup, deployments);
  for (const deployment of deployments) {
    const pool = pools.get(textOf(deployment, 'work_pool_name')) ?? '';
    parts.set(`Deployment ${textOf(deployment, 'id')}`, partsIn({ ...deployment, work_pool_id: pool }));
  }
  return parts;
}

/** One page of Prefect. Objects beyond it have no parts. */
const MOST = 200;

async function found(lookup: Lookup, path: string, key: string, ids: readonly string[]): Promise<readonly JsonObject[]> {
  return ids.length === 0 ? [] : objectsIn(await lookup(path, { [key]: { id: { any_: ids.slice(0, MOST) } }, limit: MOST }));
}

/** A deployment has only the name of its pool. */
async function poolIds(lookup: Lookup, deployments: readonly JsonObject[]): Promise<ReadonlyMap<string, string>> {
  const names = [...new Set(deployments.map((deployment) => textOf(deployment, 'work_pool_name')))].filter((name) => name !== '');
  const pools = names.length === 0 ? [] : objectsIn(await lookup('/api/work_pools/filter', { work_pools: { name: { any_: names } } }));
  return new Map(pools.map((pool) => [textOf(pool, 'name'), textOf(pool, 'id')]));
}

function partsIn(whole: JsonObject): ReadonlySet<string> {
  return new Set([`Flow ${textOf(whole, 'flow_id')}`, `WorkPool ${textOf(whole, 'work_pool_id')}`, `WorkQueue ${textOf(whole, 'work_queue_id')}`]);
}
