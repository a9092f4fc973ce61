// Schedules of a deployment: they carry parameters, so writing one may be a way to run with them; switching one on or off is a pause.
//
// Measured with stock clients of 3.9.1: `prefect deployment schedule pause|resume` and the UI send {"active": ...} alone.
import type { Ask } from '../decide/decider.ts';
import { field, isBlank, isList, isObject, type JsonValue } from '../json/tree.ts';
import { hasOnly } from './changes.ts';
import { type Call, type Family, invalid, MEBIBYTE, ownResource, type Planned, planned } from './family.ts';
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

/** True when any schedule in the list has parameters of its own. */
export function schedulesHaveParameters(schedules: JsonValue | undefined): boolean {
  return isList(schedules) && schedules.some((schedule) => isObject(schedule) && !isBlank(field(schedule, 'parameters')));
}

function planWrite(call: Call, schedules: readonly JsonValue[]): Planned {
  const parameters = schedulesHaveParameters(schedules);
  const resource = ownResource(call);
  const actions = [call.operation.action, ...(parameters ? ['deployments.run.parameters'] : [])];
  const own = actions.map((action): Ask => ({ action, resource, facts: { schedules: true, parameters } }));
  return planned({
    asks: distinctAsks([...own, ...hydrationAsks(schedules), ...templateAsks(schedules)]),
    intent: true,
    rewrite: () => call.tree,
  });
}
