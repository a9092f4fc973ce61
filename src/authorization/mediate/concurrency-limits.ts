// Concurrency limits, old (by tag) and new: a request that sets the slots in use acts as a reset, so it needs that right as well.
//
// Prefect stores an old limit of tag T as the new limit `tag:T`. Lictor decides on each under its own name.

import { field, isBlank, type JsonObject } from '../../contract/json/tree.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { createdObject } from './default-handler.ts';
import { type Call, type Handler, invalid, MEBIBYTE, ownResource, planned, withObject } from './handler.ts';
import { distinctAsks } from './template-references.ts';

export const writeConcurrencyLimit: Handler = {
  operations: [
    'create_concurrency_limit_concurrency_limits__post',
    'create_concurrency_limit_v2_v2_concurrency_limits__post',
    'update_concurrency_limit_v2_v2_concurrency_limits__id_or_name__patch',
  ],
  maxBytes: MEBIBYTE,
  plan: withObject(async (call, body, lookup) => {
    const isOfTag = call.operation.operationId === OF_A_TAG;
    const name = field(body, isOfTag ? 'tag' : 'name') ?? null;
    if (name !== null && typeof name !== 'string') return invalid('name and tag must be text.');
    const exists = name !== null && isOfTag && (await lookup(`/api/concurrency_limits/tag/${encodeURIComponent(name)}`)) !== null;
    return planned({ asks: asksFor(call, body, { name, isOfTag, exists }), outcome: (answer) => createdObject(call, answer) });
  }),
};

const OF_A_TAG = 'create_concurrency_limit_concurrency_limits__post';

interface Target {
  readonly name: string | null;
  readonly isOfTag: boolean;
  /** Prefect then changes the existing old limit and creates none. */
  readonly exists: boolean;
}

function asksFor(call: Call, body: JsonObject, { name, isOfTag, exists }: Target): readonly Ask[] {
  const { action, idParam } = call.operation;
  const slots = ['active_slots', 'denied_slots'].some((key) => setsSlots(body, key));
  const facts = { slots, renames: idParam !== null && name !== null };
  const own = ownResource(call);
  const on: AskObject = idParam === null ? { kind: 'created', fields: { name } } : { kind: 'shared' };
  const old = idParam === null && name !== null ? [] : [{ resource: own, ...(name !== null && { on: { kind: 'resource', changes: { name } } as const }) }];
  const limit = { ...own, id: name, ...(isOfTag && { within: 'tag' }) };
  const named = name === null ? [] : [{ resource: limit, ...(!exists && { on }) }];
  const actions = slots ? [action, 'concurrency.reset'] : [action];
  return distinctAsks([...old, ...named].flatMap((target) => actions.map((each) => ({ action: each, facts, ...target }))));
}

/** Stock clients send an explicit zero when they create a limit. */
function setsSlots(body: JsonObject, key: string): boolean {
  const value = field(body, key);
  return !isBlank(value) && JSON.stringify(value) !== '0';
}
