// Concurrency limits, old (by tag) and new: setting the slots in use by hand is what a reset does, so it needs that right as well.
//
// Prefect keeps an old limit of tag T as the new one `tag:T`; both are decided on under their own names.

import { field, isBlank, isObject, type JsonObject } from '../../contract/json/tree.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { createdObject } from './generic.ts';
import { distinctAsks } from './references.ts';

export const writeConcurrencyLimit: Family = {
  operations: [
    'create_concurrency_limit_concurrency_limits__post',
    'create_concurrency_limit_v2_v2_concurrency_limits__post',
    'update_concurrency_limit_v2_v2_concurrency_limits__id_or_name__patch',
  ],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A concurrency limit must be described by a JSON object.');
    const isOfTag = call.operation.operationId === OF_A_TAG;
    const name = field(body, isOfTag ? 'tag' : 'name') ?? null;
    if (name !== null && typeof name !== 'string') return invalid('name and tag must be text.');
    const isThere = name !== null && isOfTag && (await lookup(`/api/concurrency_limits/tag/${encodeURIComponent(name)}`)) !== null;
    return planned({
      asks: asksFor(call, body, { name, isOfTag, isThere }),
      intent: true,
      rewrite: () => body,
      outcome: (answer) => createdObject(call, answer),
    });
  },
};

const OF_A_TAG = 'create_concurrency_limit_concurrency_limits__post';

interface Target {
  readonly name: string | null;
  readonly isOfTag: boolean;
  /** Prefect changes an old limit that is there instead of making one. */
  readonly isThere: boolean;
}

function asksFor(call: Call, body: JsonObject, { name, isOfTag, isThere }: Target): readonly Ask[] {
  const { action, idParam } = call.operation;
  const slots = ['active_slots', 'denied_slots'].some((key) => setsSlots(body, key));
  const facts = { slots, renames: idParam !== null && name !== null };
  const own = ownResource(call);
  const makes = (made: string): AskObject => (idParam === null ? { kind: 'created', fields: { name: made } } : { kind: 'shared' });
  const old = idParam === null && name !== null ? [] : [{ resource: own, ...(name !== null && { on: { kind: 'resource', changes: { name } } as const }) }];
  const limit = { ...own, id: name, ...(isOfTag && { within: 'tag' }) };
  const named = name === null ? [] : [{ resource: limit, ...(!isThere && { on: makes(name) }) }];
  const actions = slots ? [action, 'concurrency.reset'] : [action];
  return distinctAsks([...old, ...named].flatMap((target) => actions.map((each) => ({ action: each, facts, ...target }))));
}

/** Stock clients create limits with none in use: a zero, written out. */
function setsSlots(body: JsonObject, key: string): boolean {
  const value = field(body, key);
  return !isBlank(value) && JSON.stringify(value) !== '0';
}
