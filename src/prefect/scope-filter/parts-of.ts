// The flow, pool and queue of a run or deployment, as Prefect has them: an event about the one may name these, and no other.

import { isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { type Ask, textOf } from './scope-filter.ts';

export interface Mention {
  readonly type: ResourceType;
  readonly id: string;
}

export const PARTS: readonly ResourceType[] = ['Flow', 'WorkPool', 'WorkQueue'];
export const WHOLES: readonly ResourceType[] = ['FlowRun', 'Deployment'];

export function keyOf({ type, id }: Mention): string {
  return `${type} ${id}`;
}

/** By the key of each run and deployment, the keys of its parts. What is not there has none. */
export async function partsOf(lookup: Ask, wholes: readonly Mention[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
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

/** As many as one page of Prefect's; those beyond it have no parts. */
const MOST = 200;

async function found(lookup: Ask, path: string, key: string, ids: readonly string[]): Promise<readonly JsonObject[]> {
  return ids.length === 0 ? [] : objects(await lookup(path, { [key]: { id: { any_: ids.slice(0, MOST) } }, limit: MOST }));
}

/** A deployment says its pool's name only. */
async function poolIds(lookup: Ask, deployments: readonly JsonObject[]): Promise<ReadonlyMap<string, string>> {
  const names = [...new Set(deployments.map((deployment) => textOf(deployment, 'work_pool_name')))].filter((name) => name !== '');
  const pools = names.length === 0 ? [] : objects(await lookup('/api/work_pools/filter', { work_pools: { name: { any_: names } } }));
  return new Map(pools.map((pool) => [textOf(pool, 'name'), textOf(pool, 'id')]));
}

function partsIn(whole: JsonObject): ReadonlySet<string> {
  return new Set([`Flow ${textOf(whole, 'flow_id')}`, `WorkPool ${textOf(whole, 'work_pool_id')}`, `WorkQueue ${textOf(whole, 'work_queue_id')}`]);
}

function objects(value: JsonValue | null): readonly JsonObject[] {
  return isList(value) ? value.filter((item) => isObject(item)) : [];
}
