// Nobody writes into job variables or templates how a run reaches the gateway, which would displace the run's own token, or what makes a worker
// give away its own environment or take a job for that of another run.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { problemOfTemplate, problemOfVariables } from '../../prefect/client/job-problems.ts';
import { changes } from './changes.ts';
import type { Refusal } from './family.ts';

/** Of a deployment, a run or an action: what it sets anew. What was there before stays, and is overridden where a run is started. */
export function refusedVariables(body: JsonObject, old: JsonObject | null = null): Refusal | undefined {
  return changes(body, old, 'job_variables') ? refusal(problemOfVariables(field(body, 'job_variables'))) : undefined;
}

export function refusedTemplate(body: JsonObject, old: JsonObject | null): Refusal | undefined {
  const key = 'base_job_template';
  return changes(body, old, key) ? refusal(problemOfTemplate(field(body, key), key)) : undefined;
}

/** Of an automation that starts runs. */
export function refusedActions(body: JsonObject): Refusal | undefined {
  const lists = ['actions', 'actions_on_trigger', 'actions_on_resolve'].map((key): JsonValue => field(body, key) ?? []);
  const actions = lists.flatMap((list) => (isList(list) ? list : [])).filter((action) => isObject(action));
  return actions.map((action) => refusedVariables(action)).find((refused) => refused !== undefined);
}

function refusal(detail: string | undefined): Refusal | undefined {
  return detail === undefined ? undefined : { code: 'env-reserved', detail };
}
