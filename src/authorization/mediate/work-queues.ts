// Work queues, by id or in their pool: pausing needs a separate right. A new name, limit or priority is a write.

import { field, type JsonObject } from '../../contract/json/tree.ts';
import type { Ask } from '../decide/decider.ts';
import { createdObject } from './default-handler.ts';
import { hasOnly } from './field-changes.ts';
import { type Handler, MEBIBYTE, ownAsk, ownResource, planned, withObject } from './handler.ts';

export const updateWorkQueue: Handler = {
  operations: ['update_work_queue_work_queues__id__patch', 'update_work_queue_work_pools__work_pool_name__queues__name__patch'],
  maxBytes: MEBIBYTE,
  plan: withObject((call, body) => {
    const given = (key: string) => (field(body, key) ?? null) !== null;
    const facts = { pauses: given('is_paused'), concurrency: given('concurrency_limit') || given('priority'), renames: given('name') };
    const action = hasOnly(body, ['is_paused']) ? 'work_queues.pause' : call.operation.action;
    return planned({ asks: [{ action, resource: ownResource(call), facts }, ...filterAsks(body)] });
  }),
};

export const createWorkQueue: Handler = {
  operations: ['create_work_queue_work_queues__post', 'create_work_queue_work_pools__work_pool_name__queues_post'],
  maxBytes: MEBIBYTE,
  plan: withObject((call, body) => planned({ asks: [ownAsk(call), ...filterAsks(body)], outcome: (answer) => createdObject(call, answer) })),
};

/** An old queue with a filter returns matching runs of every pool, so its author needs the right to read all runs. */
function filterAsks(body: JsonObject): readonly Ask[] {
  return (field(body, 'filter') ?? null) === null ? [] : [{ action: 'flow_runs.read', resource: { type: 'FlowRun', id: null } }];
}
