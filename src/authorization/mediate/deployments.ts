// Writing deployments: code and infrastructure are a right of their own, and an existing deployment is looked up first.
//
// Measured with stock clients of 3.9.1: `deploy` and `serve` PATCH by id or POST with everything; pausing sends {"paused": ...} alone.

import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { changedFields, changes, hasOnly, pick } from './changes.ts';
import { type Call, type Family, invalid, type Lookup, MEBIBYTE, type Planned, planned, type Refusal } from './family.ts';
import { createdObject } from './generic.ts';
import { linkedLimitAsks } from './linked-limits.ts';
import { namedBlockAsks, newBlockAsks, newParameters } from './parameter-blocks.ts';
import { parameterFacts, parameterSets } from './parameter-facts.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';
import { hasGitOption } from './pull-steps.ts';
import { type Placed, placed } from './queue-alone.ts';
import { distinctAsks, hydrationAsks, readsBlock, storedParameterAsks, templateAsks } from './references.ts';
import { refusedSchema } from './remote-schemas.ts';
import { refusedVariables } from './reserved-env.ts';
import { parametersOf } from './schedules.ts';

/** Prefect makes an existing deployment of the same flow and name into the one that is sent. */
export const createDeployment: Family = {
  operations: ['create_deployment_deployments__post'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A deployment must be described by a JSON object.');
    const flowId = field(body, 'flow_id');
    const flow = parseUuid(flowId);
    if (flow === undefined) return invalid('flow_id must be a UUID.');
    const name = field(body, 'name');
    if (typeof name !== 'string') return invalid('name must be text.');
    const place = await placed(body, lookup, { isMade: true });
    return planWrite(call, place, { ...(await existing(lookup, flow, name)), flow }, { ...BLANK, ...pick(place.body, PLACE) });
  },
};

export const updateDeployment: Family = {
  operations: ['update_deployment_deployments__id__patch'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    const id = call.params['id'] ?? null;
    if (hasOnly(body, ['paused'])) {
      const pause: Ask = { action: 'deployments.pause', resource: { type: 'Deployment', id }, facts: { pauses: true } };
      return planned({ asks: [pause], intent: true, rewrite: () => body });
    }
    const old = await lookup(`/api/deployments/${id ?? ''}`);
    const place = await placed(body, lookup, { isMade: false });
    return planWrite(call, place, { id, old: isObject(old) ? old : null, flow: null }, pick(place.body, PLACE));
  },
};

/** What scopes read of a deployment. An upsert takes away what it does not give. */
const PLACE = ['flow_id', 'name', 'tags', 'work_pool_name', 'work_queue_name'];
const BLANK: JsonObject = { tags: [], work_pool_name: null, work_queue_name: null };

interface Existing {
  readonly id: string | null;
  readonly old: JsonObject | null;
}

interface Written extends Existing {
  /** The flow that the body names; null: none, since Prefect takes it when a deployment is made alone. */
  readonly flow: string | null;
}

/** The deployment that an upsert changes. */
export async function existing(lookup: Lookup, flow: string, name: string): Promise<Existing> {
  const found = await lookup('/api/deployments/filter', { flows: { id: { any_: [flow] } }, deployments: { name: { any_: [name] } }, limit: 1 });
  const old = isList(found) ? found[0] : undefined;
  const id = field(old, 'id');
  return isObject(old) && typeof id === 'string' ? { id, old } : { id: null, old: null };
}

/** What workers execute, and where. */
const CODE = [
  ...['job_variables', 'pull_steps', 'entrypoint', 'path', 'storage_document_id', 'infrastructure_document_id'],
  ...['work_pool_name', 'work_queue_name', 'enforce_parameter_schema', 'parameter_openapi_schema'],
];

function planWrite(call: Call, { body, sent }: Placed, { id, old, flow }: Written, place: JsonObject): Planned {
  if (!labelsReadable(body)) return invalid('labels must be an object.');
  const resource = { type: 'Deployment', id } as const;
  const facts = { ...factsOf(body, old), ...parameterFacts(call, field(body, 'parameters'), 'later') };
  const scheduled = parametersOf(field(body, 'schedules'));
  const actions = [
    call.operation.action,
    ...(CODE.some((key) => changes(body, old, key)) ? ['deployments.write.override'] : []),
    ...(hasGitOption(field(body, 'pull_steps')) ? [UNSAFE] : []),
  ];
  const uses = flow === null ? {} : { uses: { type: 'Flow', id: flow } as const };
  const on: AskObject = id === null ? { kind: 'created', fields: place, ...uses } : { kind: 'resource', changes: place, ...uses };
  const sets = scheduled.length === 0 ? [] : parameterSets(call, scheduled, 'later');
  const asks = [
    ...actions.map((action): Ask => ({ action, resource, facts, on })),
    ...sets.map((values): Ask => ({ action: 'deployments.run.parameters', resource, facts: { ...facts, parameters: true, ...values }, on })),
    ...readAsks(body, old),
    ...linkedLimitAsks(body, { id, old }),
    ...parameterReads(body, { id, old, flow }),
  ];
  return planned({
    asks: distinctAsks(asks),
    intent: true,
    rewrite: () => withoutReservedLabels(sent),
    outcome: (answer) => createdObject(call, answer),
    problem: refusedVariables(body, old) ?? refusedSchema(body, old),
    refusal: (denied): Refusal | undefined => (denied.some(({ action }) => action === UNSAFE) ? { code: 'pull-step-option' } : undefined),
  });
}

const UNSAFE = 'deployments.write.unsafe';

function factsOf(body: JsonObject, old: JsonObject | null) {
  const any = (...keys: readonly string[]) => keys.some((key) => changes(body, old, key));
  return {
    job_variables: any('job_variables'),
    pull_steps: any('pull_steps'),
    entrypoint: any('entrypoint', 'path', 'storage_document_id', 'infrastructure_document_id'),
    work_pool: any('work_pool_name', 'work_queue_name'),
    parameters: any('parameters'),
    parameter_schema: any('enforce_parameter_schema', 'parameter_openapi_schema'),
    schedules: any('schedules'),
    concurrency: any('concurrency_limit', 'concurrency_options', 'global_concurrency_limit_id'),
    pauses: any('paused'),
  };
}

/** What its author makes workers and the server read. */
function readAsks(body: JsonObject, old: JsonObject | null): readonly Ask[] {
  const code: JsonValue = changedFields(body, old, ['job_variables', 'pull_steps', 'path']);
  const schedules: JsonValue = changedFields(body, old, ['schedules']);
  const blocks = changedFields(body, old, ['storage_document_id', 'infrastructure_document_id']).filter((id) => !isBlank(id));
  return [
    ...templateAsks(code),
    ...templateAsks(schedules),
    ...hydrationAsks(schedules),
    ...namedBlockAsks(schedules),
    ...blocks.map((id) => readsBlock(parseUuid(id) ?? null)),
    ...slotAsks(field(body, 'global_concurrency_limit_id') ?? null, old),
  ];
}

/** A PATCH fills in whatever it gives and keeps what comes out, also where it says what is there already. */
function parameterReads(body: JsonObject, { old, flow }: Written): readonly Ask[] {
  const parameters = field(body, 'parameters');
  const isNew = changes(body, old, 'parameters');
  const own = field(old, 'parameters');
  const templates = isNew ? [...templateAsks(newParameters(own, parameters)), ...newBlockAsks(own, parameters)] : [];
  return [...templates, ...(isNew || flow === null ? storedParameterAsks(parameters) : [])];
}

/** Its runs hold slots of that limit, and Prefect shows the limit with it. */
function slotAsks(given: JsonValue, old: JsonObject | null): readonly Ask[] {
  if (given === null) return [];
  const limit = field(old, 'global_concurrency_limit');
  const id = parseUuid(given) ?? null;
  if (id !== null && isObject(limit) && field(limit, 'id') === id) return [];
  return [{ action: 'concurrency.slots', resource: { type: 'ConcurrencyLimit', id } }];
}
