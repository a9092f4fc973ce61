// POST /task_runs/{id}/set_state, for runs and for principals with scopes: it affects more than the task run in its path.
//
// No code of the stock clients 3.6.13 to 3.9.1 sends it: tasks report their states as events, and take the slots of their tags with a lease.

import { field, isObject, type JsonValue, textsIn } from '../../contract/json/tree.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Handler, invalid, type Lookup, MEBIBYTE, ownAsk, planned } from './handler.ts';

export const setTaskState: Handler = {
  operations: ['set_task_run_state_task_runs__id__set_state_post'],
  maxBytes: 8 * MEBIBYTE,
  plan(call, lookup) {
    const { tree } = call;
    const state = field(tree, 'state');
    if (!isObject(tree) || !isObject(state)) return invalid('state must be an object with a type.');
    return planned({
      asks: [ownAsk(call)],
      intent: false,
      rewrite: () => withoutForeignInState(tree),
      ...(begins(field(state, 'type')) && { further: () => slotAsks(call, lookup) }),
    });
  },
};

/** Prefect then takes a slot of each limit for the task run's tags, which may belong to other principals. */
function begins(type: JsonValue | undefined): boolean {
  return typeof type === 'string' && type.toUpperCase() === 'RUNNING';
}

/** As for `increment`: a limit that does not exist delays no run. */
async function slotAsks(call: Call, lookup: Lookup): Promise<readonly Ask[]> {
  const run = await lookup(`/api/task_runs/${call.params['id'] ?? ''}`);
  const tags = field(run, 'tags');
  const named = textsIn(tags);
  const resource = { type: 'ConcurrencyLimit', id: null } as const;
  const limitOf = (tag: string) => ({ type: 'ConcurrencyLimit', id: tag, within: 'tag' }) as const;
  return named.map((tag): Ask => ({ action: 'concurrency.slots', resource, on: { kind: 'related', object: limitOf(tag), orAbsent: true } }));
}
