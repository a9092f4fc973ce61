// The body that asks for a run of a deployment: what is wrong with it, and which rights it needs.
//
// Measured with stock clients of 3.9.1: run_deployment and the CLI send state SCHEDULED, job_variables null or {}; the UI
// repeats the deployment's own job_variables, work_queue_name and enforce_parameter_schema in its custom run form.
import type { Facts } from '../../contract/decision.ts';
import { field, isBlank, isObject, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { isReservedStateName } from '../../contract/prefect-event.ts';
import type { Ask } from '../decide/decider.ts';
import { askInSteps, type Call, type Lookup } from './family.ts';
import { namesBlocks, newBlockAsks } from './parameter-blocks.ts';
import { parameterFacts } from './parameter-facts.ts';
import { labelsReadable } from './provenance.ts';
import { givesFields, hydrationAsks, isKind, overlaidAsks, readsBlock, templateAsks } from './references.ts';

/** As Prefect answers it. */
export type Deployment = JsonObject;

export const RESERVED_NAME = 'state.name is the name of another event of a run.';

/** A sentence for the client; undefined when the body can be decided on. */
export function runProblem(body: JsonObject): string | undefined {
  const enforce = field(body, 'enforce_parameter_schema') ?? null;
  if (enforce !== null && typeof enforce !== 'boolean') return 'enforce_parameter_schema must be true or false.';
  const state = field(body, 'state') ?? null;
  if (state !== null && (!isObject(state) || typeof field(state, 'type') !== 'string')) return 'state must be an object with a type.';
  const name = field(state, 'name');
  if (typeof name === 'string' && isReservedStateName(name)) return RESERVED_NAME;
  if (!labelsReadable(body)) return 'labels must be an object.';
  const key = field(body, 'idempotency_key');
  // The scheduler's own keys: whoever takes one keeps the scheduled run from being created.
  if (typeof key === 'string' && key.startsWith('scheduled ')) return 'An idempotency_key that starts with "scheduled " belongs to the scheduler.';
  return undefined;
}

/** True when the deployment itself must be looked at: to know whether the body overrides it, and what its parameters are laid over. */
export function needsDeployment(call: Pick<Call, 'readsParameters'>, body: JsonObject): boolean {
  const given = !isBlank(field(body, 'job_variables')) || !isBlank(field(body, 'work_queue_name'));
  return given || field(body, 'enforce_parameter_schema') === false || dependsOnOwn(call, field(body, 'parameters'));
}

/** True when what the deployment's own parameters are says what becomes of those given. */
export function dependsOnOwn({ readsParameters }: Pick<Call, 'readsParameters'>, parameters: JsonValue | undefined): boolean {
  return readsParameters || givesFields(parameters) || namesBlocks(parameters);
}

/** The UI repeats the deployment's own settings in its form: what equals them overrides nothing. */
export async function readDeployment(lookup: Lookup, id: string | null): Promise<Deployment | null> {
  const found = id === null ? null : await lookup(`/api/deployments/${id}`);
  return isObject(found) ? found : null;
}

export interface RunTarget {
  /** The deployment's id. */
  readonly id: string | null;
  /** null: not looked at, or not there; then everything that is given overrides. */
  readonly deployment: Deployment | null;
}

/** The rights that one requested run needs, all on its deployment. */
export async function asksForRun(call: Pick<Call, 'readsParameters' | 'turn'>, body: JsonObject, target: RunTarget): Promise<readonly Ask[]> {
  const resource = { type: 'Deployment', id: target.id } as const;
  const given = field(body, 'parameters');
  const parameters = !isBlank(given);
  const overrides = overrideFacts(body, target.deployment);
  const values = parameterFacts(call, laidOver(target.deployment, given), 'now');
  const facts = { parameters, job_variables: overrides.job_variables, ...values, ...stateFacts(body) };
  const own: Ask = { action: 'deployments.run', resource, facts };
  const asks: Ask[] = [own, ...parentAsks(own, field(body, 'parent_task_run_id'))];
  if (parameters) asks.push({ action: 'deployments.run.parameters', resource, facts });
  if (Object.values(overrides).includes(true)) asks.push({ action: 'deployments.run.override', resource, facts });
  // Prefect puts variables into the parameters, and shows the value there; the flow puts blocks into them, and workers into job variables.
  const read = await askInSteps(call, [
    () => hydrationAsks(given),
    () => newBlockAsks(parametersOf(target.deployment), given),
    () => overlaidAsks(parametersOf(target.deployment), given),
    () => templateAsks(overrides.job_variables ? field(body, 'job_variables') : undefined),
  ]);
  return [...asks, ...infrastructureAsks(body), ...read];
}

export function parametersOf(deployment: Deployment | null): JsonValue | undefined {
  return field(deployment, 'parameters');
}

/** Laid over a deployment whose own are one `__prefect_kind`, parameters are that kind's fields, and no parameters. */
export function laidOver(deployment: Deployment | null, given: JsonValue | undefined): JsonValue | undefined {
  const own = parametersOf(deployment);
  return isKind(own) ? own : given;
}

/** A run may begin in any state; SCHEDULED is what every client says, and no fact. */
export function stateFacts(body: JsonObject): Facts {
  const state = field(body, 'state');
  const [type, name] = isObject(state) ? [field(state, 'type'), field(state, 'name')] : [];
  if (typeof type !== 'string' || type === 'SCHEDULED') return {};
  return { state_type: type, ...(typeof name === 'string' && { state_name: name }) };
}

/** The block that the run is to be executed by, if the body names one. */
export function infrastructureAsks(body: JsonObject): readonly Ask[] {
  const id = field(body, 'infrastructure_document_id') ?? null;
  return isBlank(id) ? [] : [readsBlock(parseUuid(id) ?? null)];
}

/** A sub-flow's run stands under the task run that is named, in whoever's run that is, and its states become that task's: setting those is a right besides. */
export function parentAsks(run: Ask, parent: JsonValue | undefined): readonly Ask[] {
  if (isBlank(parent)) return [];
  const { on: _, ...ask } = run;
  const task = { type: 'TaskRun', id: parseUuid(parent) ?? null } as const;
  return [
    { ...ask, on: { kind: 'related', object: task } },
    { action: 'task_runs.set_state', resource: task },
  ];
}

function overrideFacts(body: JsonObject, deployment: Deployment | null) {
  const state = field(body, 'state');
  return {
    job_variables: changesVariables(field(body, 'job_variables'), deployment),
    work_queue: changes(body, 'work_queue_name', deployment),
    unchecked_parameters: field(body, 'enforce_parameter_schema') === false && (deployment === null || field(deployment, 'enforce_parameter_schema') !== false),
    infrastructure: changes(body, 'infrastructure_document_id', deployment),
    // What a state says of a result is what runs say, none that is still to run.
    initial_state: isObject(state) && (field(state, 'type') !== 'SCHEDULED' || (field(state, 'data') ?? null) !== null),
  };
}

function changes(body: JsonObject, key: string, deployment: Deployment | null): boolean {
  const value = field(body, key);
  if (value === undefined || isBlank(value)) return false;
  return deployment === null || !sameTree(value, field(deployment, key) ?? null);
}

/** A run's job variables are laid over the deployment's, key by key. */
function changesVariables(value: JsonValue | undefined, deployment: Deployment | null): boolean {
  if (value === undefined || isBlank(value)) return false;
  const own = field(deployment, 'job_variables');
  if (!isObject(value) || !isObject(own)) return true;
  return Object.entries(value).some(([key, wanted]) => !Object.hasOwn(own, key) || !sameTree(wanted, field(own, key) ?? null));
}
