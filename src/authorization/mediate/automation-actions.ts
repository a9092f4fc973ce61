// Which rights an automation's actions stand for: they run inside the Prefect server, past the gateway, so their author needs each.
//
// A run's cancel, suspend, resume and delete have no target of their own in Prefect: it is whichever run the event is about. The right
// is therefore asked for on all runs (id null).

import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import { isReservedStateName } from '../../contract/prefect-event.ts';
import type { Ask } from '../decide/decider.ts';
import { listeningAsks } from './automation-triggers.ts';
import type { Call, Lookup } from './family.ts';
import { newBlockAsks } from './parameter-blocks.ts';
import { parameterFacts } from './parameter-facts.ts';
import { distinctAsks, hydrationAsks, overlaidAsks, templateAsks, triggerAsks } from './references.ts';
import { refusedActions } from './reserved-env.ts';
import { dependsOnOwn, laidOver, parametersOf, readDeployment } from './run-request.ts';
import { stateActions } from './state-actions.ts';

/** More than anybody writes by hand; each may cost a look at Prefect. */
const MOST_ACTIONS = 50;
const LISTS = ['actions', 'actions_on_trigger', 'actions_on_resolve'];

/** The objects in all three lists; undefined when one is no list of objects, or there are too many. */
export function actionsOf(automation: JsonObject): readonly JsonObject[] | undefined {
  const lists = LISTS.map((key) => field(automation, key) ?? []);
  const actions = lists.flatMap((list): readonly JsonValue[] => (isList(list) ? list : [list]));
  if (!lists.every(isList) || !actions.every((action) => isObject(action)) || actions.length > MOST_ACTIONS) return undefined;
  return actions.filter((action): action is JsonObject => isObject(action));
}

export interface Looking extends Pick<Call, 'readsParameters'> {
  readonly lookup: Lookup;
}

/** All rights that the actions need. An action that is not known, or whose reach the body does not tell, needs `unbounded`. */
export async function actionAsks(actions: readonly JsonObject[], looking: Looking): Promise<readonly Ask[]> {
  const asks: Ask[] = [];
  for (const action of actions) asks.push(...(await asksOf(action, looking)));
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

async function asksOf(action: JsonObject, looking: Looking): Promise<readonly Ask[]> {
  const type = field(action, 'type');
  if (typeof type !== 'string') return [unbounded];
  if (type === 'do-nothing') return [];
  if (Object.hasOwn(ON_RUN, type)) return onAnyRun([ON_RUN[type] ?? unbounded.action]);
  if (type === 'change-flow-run-state') return changeState(action);
  const target = Object.hasOwn(TARGETED, type) ? TARGETED[type] : undefined;
  return target === undefined ? [unbounded] : targeted(action, target, looking);
}

function onAnyRun(actions: readonly ActionName[]): readonly Ask[] {
  return actions.map((action) => ({ action, resource: { type: 'FlowRun', id: null } }));
}

function changeState(action: JsonObject): readonly Ask[] {
  const state = field(action, 'state');
  // Prefect takes "yes" for true here; whatever is not plainly false forces.
  const force = (field(action, 'force') ?? false) !== false;
  const name = field(action, 'name');
  if (typeof state !== 'string' || (typeof name === 'string' && isReservedStateName(name))) return [unbounded];
  const facts = { state_type: state, force, ...(typeof name === 'string' && { state_name: name }) };
  return onAnyRun(stateActions(state, force)).map((ask) => ({ ...ask, facts }));
}

async function targeted(action: JsonObject, target: Target, looking: Looking): Promise<readonly Ask[]> {
  const given = field(action, target.key);
  const id = parseUuid(given);
  if ((field(action, 'source') ?? 'selected') !== 'selected' || id === undefined) return [unbounded];
  if (target.action === 'deployments.run') return runAsks(action, id, looking);
  const own: Ask = { action: target.action, resource: { type: target.type, id }, facts: { pauses: true } };
  if (target.type === 'WorkPool') return [{ ...own, resource: { type: 'WorkPool', id: await poolName(id, looking.lookup) } }];
  return target.type === 'Automation' ? [own, ...(await behind(id, looking))] : [own];
}

/** As for a run started by hand (run-request.ts), with every template that Prefect renders in it. */
async function runAsks(action: JsonObject, id: string, looking: Looking): Promise<readonly Ask[]> {
  const parameters = field(action, 'parameters');
  const deployment = dependsOnOwn(looking, parameters) ? await readDeployment(looking.lookup, id) : null;
  const variables = field(action, 'job_variables');
  const resource = { type: 'Deployment', id } as const;
  const given = { parameters: !isBlank(parameters), job_variables: !isBlank(variables) };
  const facts = { ...given, ...parameterFacts(looking, laidOver(deployment, parameters), 'rendered') };
  const actions = [
    'deployments.run',
    ...(given.parameters ? ['deployments.run.parameters'] : []),
    ...(given.job_variables ? ['deployments.run.override'] : []),
  ];
  return [
    ...actions.map((name): Ask => ({ action: name, resource, facts })),
    ...hydrationAsks(parameters),
    ...newBlockAsks(parametersOf(deployment), parameters),
    ...overlaidAsks(parametersOf(deployment), parameters),
    ...triggerAsks(parameters),
    ...templateAsks(variables),
  ];
}

/** Pools are decided on by name. One that is not there is nobody's: its id stands for it. */
async function poolName(id: string, lookup: Lookup): Promise<string> {
  const found = await lookup('/api/work_pools/filter', { work_pools: { id: { any_: [id] } }, limit: 1 });
  const pool = isList(found) ? found[0] : undefined;
  const name = field(pool, 'name');
  return typeof name === 'string' ? name : id;
}

/** Switching another automation on is doing what it does, at what it listens to; how far a chain of them reaches is not followed. */
async function behind(id: string, looking: Looking): Promise<readonly Ask[]> {
  const found = await looking.lookup(`/api/automations/${id}`);
  const actions = isObject(found) ? actionsOf(found) : undefined;
  if (actions === undefined) return [unbounded];
  const chained = actions.some((action) => String(field(action, 'type')).endsWith('-automation'));
  return chained || !isObject(found) || refusedActions(found) !== undefined ? [unbounded] : [...listeningAsks(found), ...(await actionAsks(actions, looking))];
}
