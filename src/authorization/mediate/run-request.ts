// The body that requests a run of a deployment: its problems, and the rights that it needs.
//
// Measured with stock clients of 3.9.1: run_deployment and the CLI send state SCHEDULED, and job_variables null or {}. The UI
// repeats the deployment's own job_variables, work_queue_name and enforce_parameter_schema in its custom run form.
import type { Facts } from '../../contract/decision.ts';
import { field, isBlank, isObject, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { isReservedStateName } from '../../contract/prefect-event.ts';
import type { Ask } from '../decide/decider.ts';
import { namedBlockAsks, newBlockAsks } from './block-references.ts';
import { changes } from './field-changes.ts';
import { askInSteps, type Call, type Lookup } from './handler.ts';
import { parameterFacts } from './parameter-facts.ts';
import { labelsReadable } from './provenance.ts';
import { givesFields, hydrationAsks, isKind, overlaidAsks, readsBlock, templateAsks } from './template-references.ts';

/** As Prefect answers it. Null: Lictor has not read it, or it does not exist. */
type Deployment = JsonObject | null;

export const RESERVED_NAME = 'state.name is the name of another event of a run.';

/** A sentence for the client; undefined when Lictor can decide on the body. */
export function runProblem(body: JsonObject): string | undefined {
  const enforce = field(body, 'enforce_parameter_schema') ?? null;
  if (enforce !== null && typeof enforce !== 'boolean') return 'enforce_parameter_schema must be true or false.';
  const state = field(body, 'state') ?? null;
  if (state !== null && typeof field(state, 'type') !== 'string') return 'state must be an object with a type.';
  const name = field(state, 'name');
  if (typeof name === 'string' && isReservedStateName(name)) return RESERVED_NAME;
  if (!labelsReadable(body)) return 'labels must be an object.';
  const key = field(body, 'idempotency_key');
  // With one of the scheduler's own keys, a client could prevent Prefect from creating the scheduled run.
  if (typeof key === 'string' && key.startsWith('scheduled ')) return 'An idempotency_key that starts with "scheduled " belongs to the scheduler.';
  return undefined;
}

/** True when Lictor must read the deployment, to know whether the body overrides it, and how Prefect merges the parameters. */
export function needsDeployment(call: Pick<Call, 'readsParameters'>, body: JsonObject): boolean {
  const given = !isBlank(field(body, 'job_variables')) || !isBlank(field(body, 'work_queue_name'));
  return given || field(body, 'enforce_parameter_schema') === false || dependsOnDeployment(call, field(body, 'parameters'));
}

/** True when the effect of the given parameters depends on the deployment's own. */
export function dependsOnDeployment({ readsParameters }: Pick<Call, 'readsParameters'>, parameters: JsonValue | undefined): boolean {
  return readsParameters || givesFields(parameters) || namedBlockAsks(parameters).length > 0;
}

export async function readDeployment(lookup: Lookup, id: string | null): Promise<Deployment> {
  const found = id === null ? null : await lookup(`/api/deployments/${id}`);
  return isObject(found) ? found : null;
}

interface RunTarget {
  /** The deployment's id. */
  readonly id: string | null;
  /** Null: every given field overrides it. */
  readonly deployment: Deployment;
}

/** The rights on a deployment, or on the run itself, that a run with these properties needs. */
export function runAsksOf(on: Pick<Ask, 'resource' | 'facts'>, has: { readonly parameters: boolean; readonly override: boolean }): readonly Ask[] {
  return [
    { action: 'deployments.run', ...on },
    ...(has.parameters ? [{ action: 'deployments.run.parameters', ...on }] : []),
    ...(has.override ? [{ action: 'deployments.run.override', ...on }] : []),
  ];
}

/** The rights that one requested run needs, all on its deployment. */
export async function asksForRun(call: Pick<Call, 'readsParameters' | 'turn'>, body: JsonObject, { id, deployment }: RunTarget): Promise<readonly Ask[]> {
  const given = field(body, 'parameters');
  const parameters = !isBlank(given);
  const overrides = overrideFacts(body, deployment);
  const values = parameterFacts(call, effectiveParameters(deployment, given), 'now');
  const facts = { parameters, job_variables: overrides.job_variables, ...values, ...stateFacts(body) };
  const on = { resource: { type: 'Deployment', id }, facts } as const;
  const asks = runAsksOf(on, { parameters, override: Object.values(overrides).includes(true) });
  // Prefect fills variables into the parameters and shows their values there. The flow loads blocks into them, and workers into job variables.
  const read = await askInSteps(call, [
    () => hydrationAsks(given),
    () => newBlockAsks(parametersOf(deployment), given),
    () => overlaidAsks(parametersOf(deployment), given),
    () => templateAsks(overrides.job_variables ? field(body, 'job_variables') : undefined),
  ]);
  return [...asks, ...parentAsks(asks[0] ?? { action: 'deployments.run', ...on }, field(body, 'parent_task_run_id')), ...infrastructureAsks(body), ...read];
}

export function parametersOf(deployment: Deployment): JsonValue | undefined {
  return field(deployment, 'parameters');
}

/** If the deployment's parameters are one `__prefect_kind`, Prefect merges the given ones into the fields of that kind. They are no parameters then. */
export function effectiveParameters(deployment: Deployment, given: JsonValue | undefined): JsonValue | undefined {
  const own = parametersOf(deployment);
  return isKind(own) ? own : given;
}

/** A run may begin in any state. Every client sends SCHEDULED, so that is no fact. */
export function stateFacts(body: JsonObject): Facts {
  const state = field(body, 'state');
  const [type, name] = [field(state, 'type'), field(state, 'name')];
  if (typeof type !== 'string' || type === 'SCHEDULED') return {};
  return { state_type: type, ...(typeof name === 'string' && { state_name: name }) };
}

/** The infrastructure block that executes the run, if the body names one. */
export function infrastructureAsks(body: JsonObject): readonly Ask[] {
  const id = field(body, 'infrastructure_document_id') ?? null;
  return isBlank(id) ? [] : [readsBlock(parseUuid(id) ?? null)];
}

/** Prefect puts a sub-flow's run below the named task run, and copies its states to that task. So the request needs the right to set those. */
export function parentAsks(run: Ask, parent: JsonValue | undefined): readonly Ask[] {
  if (isBlank(parent)) return [];
  const { on: _, ...ask } = run;
  const task = { type: 'TaskRun', id: parseUuid(parent) ?? null } as const;
  return [
    { ...ask, on: { kind: 'related', object: task } },
    { action: 'task_runs.set_state', resource: task },
  ];
}

/** The UI repeats the deployment's own settings in its form. A field that equals them overrides nothing. */
function overrideFacts(body: JsonObject, deployment: Deployment) {
  const state = field(body, 'state');
  return {
    job_variables: overridesVariables(field(body, 'job_variables'), deployment),
    work_queue: overrides(body, 'work_queue_name', deployment),
    unchecked_parameters: field(body, 'enforce_parameter_schema') === false && field(deployment, 'enforce_parameter_schema') !== false,
    infrastructure: overrides(body, 'infrastructure_document_id', deployment),
    // Only runs report a result in a state, and this run has not begun.
    initial_state: isObject(state) && (field(state, 'type') !== 'SCHEDULED' || (field(state, 'data') ?? null) !== null),
  };
}

function overrides(body: JsonObject, key: string, deployment: Deployment): boolean {
  return !isBlank(field(body, key)) && changes(body, deployment, key);
}

/** Prefect merges a run's job variables into the deployment's, key by key. */
function overridesVariables(value: JsonValue | undefined, deployment: Deployment): boolean {
  if (isBlank(value)) return false;
  const own = field(deployment, 'job_variables');
  if (!isObject(value) || !isObject(own)) return true;
  return Object.entries(value).some(([key, variable]) => !Object.hasOwn(own, key) || !sameTree(variable, field(own, key) ?? null));
}
