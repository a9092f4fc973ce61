// Deployments: code and infrastructure need a separate right, so Lictor compares a write with the existing deployment.
//
// Measured with stock clients of 3.9.1: `deploy` and `serve` PATCH by id or POST with everything; pausing sends only {"paused": ...}.

import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { namedBlockAsks, newBlockAsks, newParameters } from './block-references.ts';
import { createdObject } from './default-handler.ts';
import { linkedLimitAsks } from './deployment-limits.ts';
import { changedFields, changes, hasOnly, pick } from './field-changes.ts';
import { type Call, type Handler, invalid, type Lookup, MEBIBYTE, ownAsk, type Planned, planned, withObject } from './handler.ts';
import { parameterFacts, parameterSets } from './parameter-facts.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';
import { hasGitOption } from './pull-steps.ts';
import { scheduleParameters } from './schedules.ts';
import { distinctAsks, hydrationAsks, readsBlock, storedParameterAsks, templateAsks } from './template-references.ts';
import { refusedSchema, refusedVariables } from './unsafe-fields.ts';
import { type Placement, placeInPool } from './work-queue-placement.ts';

/** An upsert: Prefect replaces an existing deployment of the same flow and name. */
export const createDeployment: Handler = {
  operations: ['create_deployment_deployments__post'],
  maxBytes: 8 * MEBIBYTE,
  plan: withObject(async (call, body, lookup) => {
    const flow = parseUuid(field(body, 'flow_id'));
    if (flow === undefined) return invalid('flow_id must be a UUID.');
    const name = field(body, 'name');
    if (typeof name !== 'string') return invalid('name must be text.');
    const placement = await placeInPool(body, lookup, { isNew: true });
    return planWrite(call, placement, { ...(await existing(lookup, flow, name)), flow }, { ...BLANK, ...pick(placement.body, PLACE) });
  }),
};

export const updateDeployment: Handler = {
  operations: ['update_deployment_deployments__id__patch'],
  maxBytes: 8 * MEBIBYTE,
  plan: withObject(async (call, body, lookup) => {
    const id = call.params['id'] ?? null;
    if (hasOnly(body, ['paused'])) return planned({ asks: [{ action: 'deployments.pause', resource: { type: 'Deployment', id }, facts: { pauses: true } }] });
    const old = await lookup(`/api/deployments/${id ?? ''}`);
    const placement = await placeInPool(body, lookup, { isNew: false });
    return planWrite(call, placement, { id, old: isObject(old) ? old : null, flow: null }, pick(placement.body, PLACE));
  }),
};

/** `flow.serve()` asks for the runs of the deployments that the body names. Lictor reads that body for principals with scopes. */
export const pollDeployments: Handler = {
  operations: ['get_scheduled_flow_runs_for_deployments_deployments_get_scheduled_flow_runs_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const ids = field(call.tree, 'deployment_ids');
    if (!isList(ids)) return invalid('deployment_ids must be a list.');
    const own = ownAsk(call);
    const idOf = (id: JsonValue) => (typeof id === 'string' ? (parseUuid(id) ?? id) : 'no id');
    const asks = ids.map((id): Ask => ({ ...own, on: { kind: 'related', object: { type: 'Deployment', id: idOf(id) } } }));
    return planned({ asks: asks.length === 0 ? [{ ...own, on: { kind: 'shared' } }] : distinctAsks(asks), intent: false });
  },
};

/** The fields of a deployment that scopes read. An upsert removes the fields that it does not name. */
const PLACE = ['flow_id', 'name', 'tags', 'work_pool_name', 'work_queue_name'];
const BLANK: JsonObject = { tags: [], work_pool_name: null, work_queue_name: null };

interface Existing {
  readonly id: string | null;
  readonly old: JsonObject | null;
}

interface Written extends Existing {
  /** The flow in the body; null: none, since Prefect reads it only when it creates a deployment. */
  readonly flow: string | null;
}

/** The deployment that an upsert changes. */
export async function existing(lookup: Lookup, flow: string, name: string): Promise<Existing> {
  const found = await lookup('/api/deployments/filter', { flows: { id: { any_: [flow] } }, deployments: { name: { any_: [name] } }, limit: 1 });
  const old = isList(found) ? found[0] : undefined;
  const id = field(old, 'id');
  return isObject(old) && typeof id === 'string' ? { id, old } : { id: null, old: null };
}

/** The fields that say what workers execute, and where. */
const CODE = [
  ...['job_variables', 'pull_steps', 'entrypoint', 'path', 'storage_document_id', 'infrastructure_document_id'],
  ...['work_pool_name', 'work_queue_name', 'enforce_parameter_schema', 'parameter_openapi_schema'],
];

function planWrite(call: Call, { body, sent }: Placement, { id, old, flow }: Written, place: JsonObject): Planned {
  if (!labelsReadable(body)) return invalid('labels must be an object.');
  const resource = { type: 'Deployment', id } as const;
  const facts = { ...factsOf(body, old), ...parameterFacts(call, field(body, 'parameters'), 'later') };
  const scheduled = scheduleParameters(field(body, 'schedules'));
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
    rewrite: () => withoutReservedLabels(sent),
    outcome: (answer) => createdObject(call, answer),
    problem: refusedVariables(body, old) ?? refusedSchema(body, old),
    refusal: (denied) => (denied.some(({ action }) => action === UNSAFE) ? { code: 'pull-step-option' } : undefined),
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

/** Blocks, variables and limits that the author makes workers and the server read. */
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

/** On a PATCH Prefect fills in the given parameters and stores the result, even when they equal the stored ones. */
function parameterReads(body: JsonObject, { old, flow }: Written): readonly Ask[] {
  const parameters = field(body, 'parameters');
  const isNew = changes(body, old, 'parameters');
  const own = field(old, 'parameters');
  const templates = isNew ? [...templateAsks(newParameters(own, parameters)), ...newBlockAsks(own, parameters)] : [];
  return [...templates, ...(isNew || flow === null ? storedParameterAsks(parameters) : [])];
}

/** The runs hold slots of that limit, and Prefect shows the limit with the deployment. */
function slotAsks(given: JsonValue, old: JsonObject | null): readonly Ask[] {
  if (given === null) return [];
  const id = parseUuid(given) ?? null;
  const isLinked = id !== null && field(field(old, 'global_concurrency_limit'), 'id') === id;
  return isLinked ? [] : [{ action: 'concurrency.slots', resource: { type: 'ConcurrencyLimit', id } }];
}
