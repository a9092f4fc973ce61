// The rights that an automation's actions stand for: they run inside the Prefect server and bypass the gateway, so their author needs each.
//
// Cancel, suspend, resume and delete of a run name no target: Prefect takes the run that the event is about. So the author needs the right
// on all runs (id null).

import { field, isBlank, isList, isObject, type JsonObject } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import { isReservedStateName } from '../../contract/prefect-event.ts';
import type { Ask } from '../decide/decider.ts';
import { listeningAsks } from './automation-triggers.ts';
import { newBlockAsks } from './block-references.ts';
import type { Call, Lookup, Refusal } from './handler.ts';
import { parameterFacts } from './parameter-facts.ts';
import { dependsOnDeployment, effectiveParameters, parametersOf, readDeployment, runAsksOf } from './run-request.ts';
import { stateActions } from './state-actions.ts';
import { distinctAsks, hydrationAsks, overlaidAsks, templateAsks, triggerAsks } from './template-references.ts';
import { refusedVariables } from './unsafe-fields.ts';

/** More than people write by hand. Each action may cost a request to Prefect. */
const MOST_ACTIONS = 50;
const LISTS = ['actions', 'actions_on_trigger', 'actions_on_resolve'];

/** The objects in all three lists; undefined when one is no list of objects, or there are too many. */
export function actionsOf(automation: JsonObject): readonly JsonObject[] | undefined {
  const lists = LISTS.map((key) => field(automation, key) ?? []);
  const actions = lists.flatMap((list) => (isList(list) ? list : [list]));
  return lists.every(isList) && actions.every(isObject) && actions.length <= MOST_ACTIONS ? actions : undefined;
}

/** Unsafe job variables in an action that starts runs. */
export function refusedActions(automation: JsonObject): Refusal | undefined {
  return actionsOf(automation)
    ?.map((action) => refusedVariables(action))
    .find((refusal) => refusal !== undefined);
}

export interface ActionContext extends Pick<Call, 'readsParameters'> {
  readonly lookup: Lookup;
}

/** All rights that the actions need. An unknown action needs `unbounded`, and so does one whose targets the body does not name. */
export async function actionAsks(actions: readonly JsonObject[], context: ActionContext): Promise<readonly Ask[]> {
  const asks: Ask[] = [];
  for (const action of actions) asks.push(...(await asksOf(action, context)));
  return distinctAsks(asks);
}

export const unbounded: Ask = { action: 'automations.write.unbounded', resource: { type: 'Automation', id: null } };

interface Target {
  readonly action: ActionName;
  readonly type: ResourceType;
  /** The field with the target's id. */
  readonly key: string;
}

const TARGETED: Readonly<Record<string, Target>> = {
  'run-deployment': { action: 'deployments.run', type: 'Deployment', key: 'deployment_id' },
  'pause-deployment': { action: 'deployments.pause', type: 'Deployment', key: 'deployment_id' },
  'resume-deployment': { action: 'deployments.pause', type: 'Deployment', key: 'deployment_id' },
  'pause-work-pool': { action: 'work_pools.pause', type: 'WorkPool', key: 'work_pool_id' },
  'resume-work-pool': { action: 'work_pools.pause', type: 'WorkPool', key: 'work_pool_id' },
  'pause-work-queue': { action: 'work_queues.pause', type: 'WorkQueue', key: 'work_queue_id' },
  'resume-work-queue': { action: 'work_queues.pause', type: 'WorkQueue', key: 'work_queue_id' },
  'pause-automation': { action: 'automations.toggle', type: 'Automation', key: 'automation_id' },
  'resume-automation': { action: 'automations.toggle', type: 'Automation', key: 'automation_id' },
};

/** Always on the run that the event is about. */
const ON_RUN: Readonly<Record<string, ActionName>> = {
  'cancel-flow-run': 'flow_runs.cancel',
  'suspend-flow-run': 'flow_runs.pause',
  'resume-flow-run': 'flow_runs.resume',
  'delete-flow-run': 'flow_runs.delete',
};

async function asksOf(action: JsonObject, context: ActionContext): Promise<readonly Ask[]> {
  const type = field(action, 'type');
  if (typeof type !== 'string') return [unbounded];
  if (type === 'do-nothing') return [];
  if (Object.hasOwn(ON_RUN, type)) return onAnyRun([ON_RUN[type] ?? unbounded.action]);
  if (type === 'change-flow-run-state') return changeState(action);
  const target = Object.hasOwn(TARGETED, type) ? TARGETED[type] : undefined;
  return target === undefined ? [unbounded] : targetAsks(action, target, context);
}

function onAnyRun(actions: readonly ActionName[]): readonly Ask[] {
  return actions.map((action) => ({ action, resource: { type: 'FlowRun', id: null } }));
}

function changeState(action: JsonObject): readonly Ask[] {
  const state = field(action, 'state');
  // Prefect accepts "yes" for true: every other value than `false` forces.
  const force = (field(action, 'force') ?? false) !== false;
  const name = field(action, 'name');
  if (typeof state !== 'string' || (typeof name === 'string' && isReservedStateName(name))) return [unbounded];
  const facts = { state_type: state, force, ...(typeof name === 'string' && { state_name: name }) };
  return onAnyRun(stateActions(state, force)).map((ask) => ({ ...ask, facts }));
}

async function targetAsks(action: JsonObject, target: Target, context: ActionContext): Promise<readonly Ask[]> {
  const id = parseUuid(field(action, target.key));
  if ((field(action, 'source') ?? 'selected') !== 'selected' || id === undefined) return [unbounded];
  if (target.action === 'deployments.run') return runAsks(action, id, context);
  const own: Ask = { action: target.action, resource: { type: target.type, id }, facts: { pauses: true } };
  if (target.type === 'WorkPool') return [{ ...own, resource: { type: 'WorkPool', id: await poolName(id, context.lookup) } }];
  return target.type === 'Automation' ? [own, ...(await switchedAsks(id, context))] : [own];
}

/** As for a run that a person starts (run-request.ts), and every template that Prefect renders in the action. */
async function runAsks(action: JsonObject, id: string, context: ActionContext): Promise<readonly Ask[]> {
  const parameters = field(action, 'parameters');
  const deployment = dependsOnDeployment(context, parameters) ? await readDeployment(context.lookup, id) : null;
  const variables = field(action, 'job_variables');
  const given = { parameters: !isBlank(parameters), job_variables: !isBlank(variables) };
  const facts = { ...given, ...parameterFacts(context, effectiveParameters(deployment, parameters), 'rendered') };
  return [
    ...runAsksOf({ resource: { type: 'Deployment', id }, facts }, { parameters: given.parameters, override: given.job_variables }),
    ...hydrationAsks(parameters),
    ...newBlockAsks(parametersOf(deployment), parameters),
    ...overlaidAsks(parametersOf(deployment), parameters),
    ...triggerAsks(parameters),
    ...templateAsks(variables),
  ];
}

/** Policies know pools by name. A pool that does not exist has no owner: its id takes the place of the name. */
async function poolName(id: string, lookup: Lookup): Promise<string> {
  const found = await lookup('/api/work_pools/filter', { work_pools: { id: { any_: [id] } }, limit: 1 });
  const name = field(isList(found) ? found[0] : undefined, 'name');
  return typeof name === 'string' ? name : id;
}

/** An action that switches another automation on needs the rights of that one. Lictor does not follow a chain of them. */
async function switchedAsks(id: string, context: ActionContext): Promise<readonly Ask[]> {
  const found = await context.lookup(`/api/automations/${id}`);
  const actions = isObject(found) ? actionsOf(found) : undefined;
  if (!isObject(found) || actions === undefined || refusedActions(found) !== undefined) return [unbounded];
  const isChained = actions.some((action) => String(field(action, 'type')).endsWith('-automation'));
  return isChained ? [unbounded] : [...listeningAsks(found), ...(await actionAsks(actions, context))];
}
