// Writing blocks: those whose address the Prefect server itself calls are an administrator's, and a reference reads the other block.
import type { Decision } from '../../contract/decision.ts';
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { type Call, type Family, invalid, type Lookup, MEBIBYTE, ownResource, type Planned, planned, type Refusal } from './family.ts';
import { createdObject } from './generic.ts';
import { namedBlockAsks } from './parameter-blocks.ts';
import { distinctAsks, readsBlock, templateAsks } from './references.ts';

export const createBlockDocument: Family = {
  operations: ['create_block_document_block_documents__post'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A block must be described by a JSON object.');
    const schema = await namedBy(lookup, body, SCHEMA);
    const type = await namedBy(lookup, body, TYPE);
    if (schema === undefined || type === undefined) return invalid('block_schema_id and block_type_id must be UUIDs.');
    return planWrite(call, [schema, type]);
  },
};

export const changeBlockDocument: Family = {
  operations: ['update_block_document_data_block_documents__id__patch', 'delete_block_document_block_documents__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree ?? {};
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    const old = await lookup(`/api/block_documents/${call.params['id'] ?? ''}`);
    const schema = await namedBy(lookup, body, SCHEMA);
    return schema === undefined ? invalid('block_schema_id must be a UUID.') : planWrite(call, [old, schema], otherSchemaAsks(call, body, old));
  },
};

const SCHEMA = { key: 'block_schema_id', path: '/api/block_schemas/' };
const TYPE = { key: 'block_type_id', path: '/api/block_types/' };

/** The object that a field names; null: it names none, or it is not there; undefined: no id. */
async function namedBy(lookup: Lookup, body: JsonObject, { key, path }: typeof SCHEMA): Promise<JsonValue | undefined> {
  const given = field(body, key) ?? null;
  if (given === null) return null;
  const id = parseUuid(given);
  return id === undefined ? undefined : lookup(`${path}${id}`);
}

/** The schema says which fields are secret: by another one, what was written before is shown to whoever reads blocks. */
function otherSchemaAsks({ params }: Call, body: JsonObject, old: JsonValue): readonly Ask[] {
  const given = field(body, SCHEMA.key) ?? null;
  const before = field(old, SCHEMA.key);
  const isSame = typeof given === 'string' && typeof before === 'string' && parseUuid(given) === parseUuid(before);
  return given === null || isSame ? [] : [readsBlock(params['id'] ?? null)];
}

function planWrite(call: Call, about: readonly JsonValue[], further: readonly Ask[] = []): Planned {
  const resource = ownResource(call);
  const isCalled = about.some((object) => isObject(object) && isCalledByServer(object));
  const actions = [call.operation.action, ...(isCalled ? [WEBHOOK] : [])];
  const name = field(call.tree, 'name') ?? null;
  const creates = resource.id === null ? ({ on: { kind: 'created', fields: { name } } } as const) : {};
  const data = field(call.tree, 'data');
  // A parameter may name this block: what it names in turn is loaded with it.
  const references = [...templateAsks(data), ...namedBlockAsks(data)];
  return planned({
    asks: distinctAsks([...actions.map((action): Ask => ({ action, resource, ...creates })), ...further, ...references]),
    intent: true,
    rewrite: () => call.tree,
    outcome: (answer) => createdObject(call, answer),
    refusal,
  });
}

const WEBHOOK = 'blocks.write.webhook';

function refusal(denied: readonly Decision[]): Refusal | undefined {
  return denied.some(({ action }) => action === WEBHOOK) ? { code: 'block-called-by-server' } : undefined;
}

/** Prefect picks the class by the slug of the block type: `webhook`, and its notification blocks (`prefect.blocks.notifications`, 3.9.1). */
const CALLED = /^(webhook|sendgrid-email|twilio-sms|.*-webhook|apprise.*)$/;

/** A block type, a schema with its type, or a document with both. */
function isCalledByServer(object: JsonObject): boolean {
  const slug = field(object, 'slug');
  const capabilities = field(object, 'capabilities');
  if (typeof slug === 'string' && CALLED.test(slug)) return true;
  if (isList(capabilities) && capabilities.includes('notify')) return true;
  return [field(object, 'block_type'), field(object, 'block_schema')].some((inner) => isObject(inner) && isCalledByServer(inner));
}
