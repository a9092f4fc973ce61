// Work pools: the base job template and the storage of code bundles are code that workers execute. Pausing needs a separate right.
//
// Measured with stock clients of 3.9.1: `work-pool pause|resume` and the UI send only {"is_paused": ...}.

import { apiUrlOf, type PublicAddress } from '../../config/sections/public-url.ts';
import { field, isObject, type JsonObject, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { createdObject } from './default-handler.ts';
import { changedFields, changes, hasOnly } from './field-changes.ts';
import { type Call, type Handler, invalid, MEBIBYTE, type Planned, planned, withObject } from './handler.ts';
import { distinctAsks, readsBlock, templateAsks } from './template-references.ts';
import { refusedTemplate } from './unsafe-fields.ts';

export function createWorkPool(publicUrl: PublicAddress): Handler {
  return {
    operations: ['create_work_pool_work_pools__post'],
    maxBytes: 8 * MEBIBYTE,
    plan: withObject((call, body) => {
      const name = field(body, 'name');
      return typeof name === 'string' ? planWrite(call, body, { name, old: null, publicUrl }) : invalid('name must be text.');
    }),
  };
}

export function updateWorkPool(publicUrl: PublicAddress): Handler {
  return {
    operations: ['update_work_pool_work_pools__name__patch'],
    maxBytes: 8 * MEBIBYTE,
    plan: withObject(async (call, body, lookup) => {
      const name = call.params['name'] ?? '';
      if (hasOnly(body, ['is_paused']))
        return planned({ asks: [{ action: 'work_pools.pause', resource: { type: 'WorkPool', id: name }, facts: { pauses: true } }] });
      const old = await lookup(`/api/work_pools/${encodeURIComponent(name)}`);
      return planWrite(call, body, { name, old: isObject(old) ? old : null, publicUrl });
    }),
  };
}

const CODE = ['base_job_template', 'storage_configuration'];

interface Written {
  readonly name: string;
  readonly old: JsonObject | null;
  readonly publicUrl: PublicAddress;
}

function planWrite(call: Call, body: JsonObject, { name, old, publicUrl }: Written): Planned {
  const resource = { type: 'WorkPool', id: name } as const;
  const creates = call.operation.idParam === null ? ({ on: { kind: 'created', fields: { name } } } as const) : {};
  const code = changedFields(body, old, CODE);
  const facts = { base_job_template: code.length > 0, pauses: changes(body, old, 'is_paused'), concurrency: changes(body, old, 'concurrency_limit') };
  const actions = [call.operation.action, ...(code.length > 0 ? ['work_pools.write.override'] : [])];
  const asks = [...actions.map((action): Ask => ({ action, resource, facts, ...creates })), ...templateAsks(code), ...storageAsks(body, old)];
  return planned({ asks: distinctAsks(asks), problem: refusedTemplate(body, old, apiUrlOf(publicUrl)), outcome: (answer) => createdObject(call, answer) });
}

/** Workers load the block that stores the results of the pool's runs, with its secrets. */
function storageAsks(body: JsonObject, old: JsonObject | null): readonly Ask[] {
  const blockOf = (pool: JsonObject | null) => {
    const storage = field(pool, 'storage_configuration');
    return field(storage, 'default_result_storage_block_id') ?? null;
  };
  const [given, before] = [blockOf(body), blockOf(old)];
  return given === null || sameTree(given, before) ? [] : [readsBlock(parseUuid(given) ?? null)];
}
