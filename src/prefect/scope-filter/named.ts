// Objects that a scope covers by name: work pools and queues, variables, blocks, automations, concurrency limits.
//
// Prefect's filter language has no patterns for them, and there are few. So Lictor reads the whole list, and covers.ts decides each object.
import { bareEntity, type Entity } from '../../contract/entity.ts';
import { field, type JsonObject, textsIn } from '../../contract/json/tree.ts';
import { covers } from '../../contract/scope/covers.ts';
import type { Restriction } from '../../contract/scope.ts';
import { everyItem, type Found, type ScopeFilter, textOf } from './scope-filter.ts';

export interface Named {
  readonly path: string;
  /** The filter's key in the bodies of the family. */
  readonly key: string;
  readonly entity: (item: JsonObject) => Entity;
}

export const WORK_POOLS: Named = {
  path: '/api/work_pools/filter',
  key: 'work_pools',
  entity: (item) => bareEntity('WorkPool', { name: textOf(item, 'name'), workPool: textOf(item, 'name') }),
};
export const WORK_QUEUES: Named = {
  path: '/api/work_queues/filter',
  key: 'work_queues',
  entity: (item) => bareEntity('WorkQueue', { name: textOf(item, 'name'), workPool: textOf(item, 'work_pool_name') }),
};
export const VARIABLES: Named = {
  path: '/api/variables/filter',
  key: 'variables',
  entity: (item) => bareEntity('Variable', { name: textOf(item, 'name'), tags: textsIn(field(item, 'tags')) }),
};
export const BLOCKS: Named = {
  path: '/api/block_documents/filter',
  key: 'block_documents',
  entity: (item) => bareEntity('BlockDocument', { name: textOf(item, 'name') }),
};
export const AUTOMATIONS: Named = {
  path: '/api/automations/filter',
  key: 'automations',
  entity: (item) => bareEntity('Automation', { name: textOf(item, 'name') }),
};
export const LIMITS: Named = {
  path: '/api/v2/concurrency_limits/filter',
  key: '',
  // An old limit of tag T is the new one `tag:T` as well.
  entity: (item) => bareEntity('ConcurrencyLimit', { name: textOf(item, 'name').replace(/^tag:/, '') }),
};
export const TAG_LIMITS: Named = {
  path: '/api/concurrency_limits/filter',
  key: '',
  entity: (item) => bareEntity('ConcurrencyLimit', { name: textOf(item, 'tag') }),
};

/** `asked`: the client's filter and order. */
export async function coveredItems(scopeFilter: ScopeFilter, { path, entity }: Named, asked: JsonObject = {}): Promise<Found<JsonObject>> {
  const found = await everyItem(scopeFilter.lookup, path, asked);
  return found.ok ? { ok: true, items: await coveredOf(scopeFilter, entity, found.items) } : found;
}

/** The covered ones of the items. */
export async function coveredOf(scopeFilter: ScopeFilter, entity: Named['entity'], items: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  let covered: readonly JsonObject[] | undefined;
  for (const restriction of scopeFilter.restrictions) covered = await coveredByOne({ ...scopeFilter, restriction }, entity, covered ?? items);
  return covered ?? [];
}

interface One extends ScopeFilter {
  readonly restriction: Restriction;
}

async function coveredByOne({ restriction, createdBy }: One, entity: Named['entity'], items: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  const { scopes, principalId } = restriction;
  const entities = items.map(entity);
  const [first] = entities;
  const created = new Set(first !== undefined && scopes.some(({ own }) => own) ? await createdBy(first.type, principalId) : []);
  return items.filter((item, index) => {
    const found = entities[index];
    if (found === undefined) return false;
    const isOwn = created.has(found.type === 'WorkPool' ? textOf(item, 'name') : textOf(item, 'id'));
    return scopes.some((scope) => covers(scope, { ...found, owner: isOwn ? principalId : null }, principalId));
  });
}
