// Work pools: the base job template, and where bundles of code are kept, are code that workers run; pausing is a right of its own.
//
// Measured with stock clients of 3.9.1: `work-pool pause|resume` and the UI send {"is_paused": ...} alone.

import { field, isObject, type JsonObject, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { changedFields, changes, hasOnly } from './changes.ts';
import { type Call, type Family, invalid, MEBIBYTE, type Planned, planned } from './family.ts';
import { createdObject } from './generic.ts';
import { distinctAsks, readsBlock, templateAsks } from './references.ts';
import { refusedTemplateSchema } from './remote-schemas.ts';
import { refusedTemplate } from './reserved-env.ts';

export const createWorkPool: Family = {
  operations: ['create_work_pool_work_pools__post'],
  maxBytes: 8 * MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A work pool must be described by a JSON object.');
    const name = field(body, 'name');
    return typeof name === 'string' ? planWrite(call, body, { name, old: null }) : invalid('name must be text.');
  },
};

export const updateWorkPool: Family = {
  operations: ['update_work_pool_work_pools__name__patch'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    const name = call.params['name'] ?? '';
    if (hasOnly(body, ['is_paused'])) {
      const pause: Ask = { action: 'work_pools.pause', resource: { type: 'WorkPool', id: name }, facts: { pauses: true } };
      return planned({ asks: [pause], intent: true, rewrite: () => body });
    }
    const old = await lookup(`/api/work_pools/${encodeURIComponent(name)}`);
    return planWrite(call, body, { name, old: isObject(old) ? old : null });
  },
};

const CODE = ['base_job_template', 'storage_configuration'];

function planWrite(call: Call, body: JsonObject, { name, old }: { readonly name: string; readonly old: JsonObject | null }): Planned {
  const resource = { type: 'WorkPool', id: name } as const;
  const creates = call.operation.idParam === null ? ({ on: { kind: 'created', fields: { name } } } as const) : {};
  const code = changedFields(body, old, CODE);
  const facts = { base_job_template: code.length > 0, pauses: changes(body, old, 'is_paused'), concurrency: changes(body, old, 'concurrency_limit') };
  const actions = [call.operation.action, ...(code.length > 0 ? ['work_pools.write.override'] : [])];
  const asks = [...actions.map((action): Ask => ({ action, resource, facts, ...creates })), ...templateAsks(code), ...storageAsks(body, old)];
  const problem = refusedTemplate(body, old) ?? refusedTemplateSchema(body, old);
  return planned({ asks: distinctAsks(asks), intent: true, problem, rewrite: () => body, outcome: (answer) => createdObject(call, answer) });
}

/** The block that the results of its runs are kept by: workers load it, with what is secret in it. */
function storageAsks(body: JsonObject, old: JsonObject | null): readonly Ask[] {
  const blockOf = (pool: JsonObject | null) => {
    const storage = field(pool, 'storage_configuration');
    return field(storage, 'default_result_storage_block_id') ?? null;
  };
  const [given, before] = [blockOf(body), blockOf(old)];
  return given === null || sameTree(given, before) ? [] : [readsBlock(parseUuid(given) ?? null)];
}
