// POST /task_runs/{id}/set_state, for runs and for those whose roles hold on some objects only: it reaches beyond the task run in its path.
//
// No code of the stock clients 3.6.13 to 3.9.1 sends it: tasks report their states as events, and take the slots of their tags by themselves, with a lease.

import { field, isObject, type JsonValue, textsIn } from '../../contract/json/tree.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Family, invalid, type Lookup, MEBIBYTE, ownResource, planned } from './family.ts';

export const setTaskState: Family = {
  operations: ['set_task_run_state_task_runs__id__set_state_post'],
  maxBytes: 8 * MEBIBYTE,
  plan(call, lookup) {
    const { tree } = call;
    const state = field(tree, 'state');
    if (!isObject(tree) || !isObject(state)) return invalid('state must be an object with a type.');
    const own: Ask = { action: call.operation.action, resource: ownResource(call) };
    return planned({
      asks: [own],
      intent: false,
      rewrite: () => withoutForeignInState(tree),
      ...(begins(field(state, 'type')) && { further: () => slotAsks(call, lookup) }),
    });
  },
};

/** Then Prefect takes a slot of the limit of each tag that the task run was made with, whosever that limit is. */
function begins(type: JsonValue | undefined): boolean {
  return typeof type === 'string' && type.toUpperCase() === 'RUNNING';
}

/** As for taking them by `increment`: a limit that is not there holds nobody back. */
async function slotAsks(call: Call, lookup: Lookup): Promise<readonly Ask[]> {
  const run = await lookup(`/api/task_runs/${call.params['id'] ?? ''}`);
  const tags = field(run, 'tags');
  const named = textsIn(tags);
  const resource = { type: 'ConcurrencyLimit', id: null } as const;
  const limitOf = (tag: string) => ({ type: 'ConcurrencyLimit', id: tag, within: 'tag' }) as const;
  return named.map((tag): Ask => ({ action: 'concurrency.slots', resource, on: { kind: 'related', object: limitOf(tag), orAbsent: true } }));
}
