// Schedules of a deployment: they carry parameters, so writing one may be a way to run with them; switching one on or off is a pause.
//
// Measured with stock clients of 3.9.1: `prefect deployment schedule pause|resume` and the UI send {"active": ...} alone.

import { field, isBlank, isList, isObject, type JsonValue } from '../../contract/json/tree.ts';
import type { Ask } from '../decide/decider.ts';
import { hasOnly } from './changes.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, type Planned, planned } from './family.ts';
import { namedBlockAsks } from './parameter-blocks.ts';
import { parameterFacts, parameterSets } from './parameter-facts.ts';
import { distinctAsks, hydrationAsks, templateAsks } from './references.ts';

export const createSchedules: Family = {
  operations: ['create_deployment_schedules_deployments__id__schedules_post'],
  maxBytes: MEBIBYTE,
  plan: (call) => (isList(call.tree) && call.tree.every(isObject) ? planWrite(call, call.tree) : invalid('The body must be a list of schedules.')),
};

export const updateSchedule: Family = {
  operations: ['update_deployment_schedule_deployments__id__schedules__schedule_id__patch'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    if (!hasOnly(body, ['active'])) return planWrite(call, [body]);
    const pause: Ask = { action: 'deployments.pause', resource: ownResource(call), facts: { pauses: true } };
    return planned({ asks: [pause], intent: true, rewrite: () => body });
  },
};

export const deleteSchedule: Family = {
  operations: ['delete_deployment_schedule_deployments__id__schedules__schedule_id__delete'],
  maxBytes: MEBIBYTE,
  plan: (call) =>
    planned({
      asks: [{ action: call.operation.action, resource: ownResource(call), facts: { schedules: true, ...parameterFacts(call, null, 'later') } }],
      intent: true,
      rewrite: () => call.tree,
    }),
};

/** Those that the schedules in the list have of their own, as they are. */
export function parametersOf(schedules: JsonValue | undefined): readonly JsonValue[] {
  const given = isList(schedules) ? schedules.map((schedule) => field(schedule, 'parameters') ?? null) : [];
  return given.filter((parameters) => !isBlank(parameters));
}

function planWrite(call: Call, schedules: readonly JsonValue[]): Planned {
  const given = parametersOf(schedules);
  const parameters = given.length > 0;
  const resource = ownResource(call);
  const actions = [call.operation.action, ...(parameters ? ['deployments.run.parameters'] : [])];
  // Each schedule's stand alone: what one has is no excuse for another.
  const sets = parameterSets(call, parameters ? given : [null], 'later');
  const own = sets.flatMap((values) => actions.map((action): Ask => ({ action, resource, facts: { schedules: true, parameters, ...values } })));
  return planned({
    asks: distinctAsks([...own, ...hydrationAsks(schedules), ...templateAsks(schedules), ...namedBlockAsks(schedules)]),
    intent: true,
    rewrite: () => call.tree,
  });
}
