// Nobody writes into job variables or templates how a run reaches the gateway: what stands there would displace the run's own token.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../json/tree.ts';
import { hidesEnv, reservedInTemplate, reservedNames } from '../prefect/job-env.ts';
import { changes } from './changes.ts';
import type { Refusal } from './family.ts';

/** Of a deployment, a run or an action: what it sets anew. What was there before stays, and is overridden where a run is started. */
export function refusedVariables(body: JsonObject, old: JsonObject | null = null): Refusal | undefined {
  const variables = field(body, 'job_variables');
  if (!changes(body, old, 'job_variables')) return undefined;
  if (hidesEnv(variables))
    return { code: 'env-reserved', detail: 'env in job_variables must be an object of names and values: a template or a block in its place would hide them.' };
  return refusal('job_variables', reservedNames(variables));
}

export function refusedTemplate(body: JsonObject, old: JsonObject | null): Refusal | undefined {
  return changes(body, old, 'base_job_template') ? refusal('base_job_template', reservedInTemplate(field(body, 'base_job_template'))) : undefined;
}

/** Of an automation that starts runs. */
export function refusedActions(body: JsonObject): Refusal | undefined {
  const lists = ['actions', 'actions_on_trigger', 'actions_on_resolve'].map((key): JsonValue => field(body, key) ?? []);
  const actions = lists.flatMap((list) => (isList(list) ? list : [])).filter((action) => isObject(action));
  return actions.map((action) => refusedVariables(action)).find((refused) => refused !== undefined);
}

/** Names that stand in the refusal are the closed list's own, never a value. */
function refusal(where: string, names: readonly string[]): Refusal | undefined {
  if (names.length === 0) return undefined;
  const known = [...new Set(names.map((name) => name.trim().toUpperCase()))].sort();
  return { code: 'env-reserved', detail: `${known.join(', ')} in ${where}: set by the gateway and the worker alone.` };
}
