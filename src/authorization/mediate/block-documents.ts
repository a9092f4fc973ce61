// Block documents: one that makes the Prefect server call an address needs an administrator, and a reference to another block reads it.
import type { Decision } from '../../contract/decision.ts';
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import { namedBlockAsks } from './block-references.ts';
import { createdObject } from './default-handler.ts';
import { type Call, type Handler, invalid, type Lookup, MEBIBYTE, ownResource, type Planned, planned, type Refusal, withObject } from './handler.ts';
import { distinctAsks, readsBlock, templateAsks } from './template-references.ts';

/** One boolean in the body turns the list into a list of secrets. */
export const blockDocumentsFilter: Handler = {
  operations: ['read_block_documents_block_documents_filter_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    if (call.tree !== undefined && !isObject(call.tree)) return invalid('The body must be a JSON object.');
    const secrets = field(call.tree, 'include_secrets') ?? false;
    if (typeof secrets !== 'boolean') return invalid('include_secrets must be true or false.');
    const action = secrets ? 'blocks.read_secrets' : call.operation.action;
    return planned({ asks: [{ action, resource: ownResource(call), facts: { include_secrets: secrets } }], intent: secrets });
  },
};

export const createBlockDocument: Handler = {
  operations: ['create_block_document_block_documents__post'],
  maxBytes: MEBIBYTE,
  plan: withObject(async (call, body, lookup) => {
    const schema = await namedBy(lookup, body, SCHEMA);
    const type = await namedBy(lookup, body, TYPE);
    if (schema === undefined || type === undefined) return invalid('block_schema_id and block_type_id must be UUIDs.');
    return planWrite(call, [schema, type]);
  }),
};

export const changeBlockDocument: Handler = {
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

/** The object that a field names. Null: the field is empty, or the object does not exist. Undefined: the field is no id. */
async function namedBy(lookup: Lookup, body: JsonObject, { key, path }: typeof SCHEMA): Promise<JsonValue | undefined> {
  const given = field(body, key) ?? null;
  if (given === null) return null;
  const id = parseUuid(given);
  return id === undefined ? undefined : lookup(`${path}${id}`);
}

/** The schema says which fields are secret. Another schema could show the stored secrets to every reader of the block. */
function otherSchemaAsks({ params }: Call, body: JsonObject, old: JsonValue): readonly Ask[] {
  const given = field(body, SCHEMA.key) ?? null;
  const before = field(old, SCHEMA.key);
  const isSame = typeof given === 'string' && typeof before === 'string' && parseUuid(given) === parseUuid(before);
  return given === null || isSame ? [] : [readsBlock(params['id'] ?? null)];
}

function planWrite(call: Call, about: readonly JsonValue[], further: readonly Ask[] = []): Planned {
  const resource = ownResource(call);
  const isCalled = about.some(isCalledByServer);
  const actions = [call.operation.action, ...(isCalled ? [WEBHOOK] : [])];
  const name = field(call.tree, 'name') ?? null;
  const creates = resource.id === null ? ({ on: { kind: 'created', fields: { name } } } as const) : {};
  const data = field(call.tree, 'data');
  // A parameter may name this block, and Prefect loads the blocks in it as well.
  const references = [...templateAsks(data), ...namedBlockAsks(data)];
  return planned({
    asks: distinctAsks([...actions.map((action): Ask => ({ action, resource, ...creates })), ...further, ...references]),
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

/** `object`: a block type, a schema with its type, or a document with both. */
function isCalledByServer(object: JsonValue | undefined): boolean {
  if (!isObject(object)) return false;
  const slug = field(object, 'slug');
  const capabilities = field(object, 'capabilities');
  if (typeof slug === 'string' && CALLED.test(slug)) return true;
  if (isList(capabilities) && capabilities.includes('notify')) return true;
  return isCalledByServer(field(object, 'block_type')) || isCalledByServer(field(object, 'block_schema'));
}
