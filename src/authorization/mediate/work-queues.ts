// Work queues, by id or in their pool: pausing is a right of its own; another name, limit or priority is a write.

import { field, isObject, type JsonObject } from '../../contract/json/tree.ts';
import type { Ask } from '../decide/decider.ts';
import { hasOnly } from './changes.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { createdObject } from './generic.ts';

export const updateWorkQueue: Family = {
  operations: ['update_work_queue_work_queues__id__patch', 'update_work_queue_work_pools__work_pool_name__queues__name__patch'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    const given = (key: string) => (field(body, key) ?? null) !== null;
    const facts = { pauses: given('is_paused'), concurrency: given('concurrency_limit') || given('priority'), renames: given('name') };
    const action = hasOnly(body, ['is_paused']) ? 'work_queues.pause' : call.operation.action;
    const ask: Ask = { action, resource: ownResource(call), facts };
    return planned({ asks: [ask, ...filterAsks(body)], intent: true, rewrite: () => body });
  },
};

export const createWorkQueue: Family = {
  operations: ['create_work_queue_work_queues__post', 'create_work_queue_work_pools__work_pool_name__queues_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A work queue must be described by a JSON object.');
    const own: Ask = { action: call.operation.action, resource: ownResource(call) };
    return planned({ asks: [own, ...filterAsks(body)], intent: true, rewrite: () => body, outcome: (answer) => createdObject(call, answer) });
  },
};

/** A queue of the old kind hands out whatever runs fit its filter, of any pool: that is reading all runs. */
function filterAsks(body: JsonObject): readonly Ask[] {
  return (field(body, 'filter') ?? null) === null ? [] : [{ action: 'flow_runs.read', resource: { type: 'FlowRun', id: null } }];
}
