// Schedules of a deployment: they carry parameters, so a principal that writes one may run the deployment with them. Switching one on or off is a pause.
//
// Measured with stock clients of 3.9.1: `prefect deployment schedule pause|resume` and the UI send only {"active": ...}.

import { field, isBlank, isList, isObject, type JsonValue } from '../../contract/json/tree.ts';
import type { Ask } from '../decide/decider.ts';
import { namedBlockAsks } from './block-references.ts';
import { hasOnly } from './field-changes.ts';
import { type Call, type Handler, invalid, MEBIBYTE, ownAsk, ownResource, type Planned, planned, withObject } from './handler.ts';
import { parameterFacts, parameterSets } from './parameter-facts.ts';
import { distinctAsks, hydrationAsks, templateAsks } from './template-references.ts';

export const createSchedules: Handler = {
  operations: ['create_deployment_schedules_deployments__id__schedules_post'],
  maxBytes: MEBIBYTE,
  plan: (call) => (isList(call.tree) && call.tree.every(isObject) ? planWrite(call, call.tree) : invalid('The body must be a list of schedules.')),
};

export const updateSchedule: Handler = {
  operations: ['update_deployment_schedule_deployments__id__schedules__schedule_id__patch'],
  maxBytes: MEBIBYTE,
  plan: withObject((call, body) => {
    if (!hasOnly(body, ['active'])) return planWrite(call, [body]);
    return planned({ asks: [{ action: 'deployments.pause', resource: ownResource(call), facts: { pauses: true } }] });
  }),
};

export const deleteSchedule: Handler = {
  operations: ['delete_deployment_schedule_deployments__id__schedules__schedule_id__delete'],
  maxBytes: MEBIBYTE,
  plan: (call) => planned({ asks: [{ ...ownAsk(call), facts: { schedules: true, ...parameterFacts(call, null, 'later') } }] }),
};

/** The parameters of each schedule in the list that has some. */
export function scheduleParameters(schedules: JsonValue | undefined): readonly JsonValue[] {
  const given = isList(schedules) ? schedules.map((schedule) => field(schedule, 'parameters') ?? null) : [];
  return given.filter((parameters) => !isBlank(parameters));
}

function planWrite(call: Call, schedules: readonly JsonValue[]): Planned {
  const given = scheduleParameters(schedules);
  const parameters = given.length > 0;
  const resource = ownResource(call);
  const actions = [call.operation.action, ...(parameters ? ['deployments.run.parameters'] : [])];
  // Lictor decides the parameters of each schedule separately.
  const sets = parameterSets(call, parameters ? given : [null], 'later');
  const own = sets.flatMap((values) => actions.map((action): Ask => ({ action, resource, facts: { schedules: true, parameters, ...values } })));
  return planned({
    asks: distinctAsks([...own, ...hydrationAsks(schedules), ...templateAsks(schedules), ...namedBlockAsks(schedules)]),
  });
}
