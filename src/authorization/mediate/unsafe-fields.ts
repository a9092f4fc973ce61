// Fields of deployments, runs and work pools that Lictor rejects for every principal.
//
// Job variables and job templates must not set how a run reaches the gateway: that would replace the run's own token. Nor may they make a
// worker reveal its environment, or mistake a job for that of another run. A schema must not make the Prefect server fetch an address.
import { field, type JsonObject } from '../../contract/json/tree.ts';
import { problemOfTemplate, problemOfVariables } from '../../prefect/client/job-problems.ts';
import { leadsOut, remoteDetail } from '../../prefect/client/remote-schema.ts';
import { changes } from './field-changes.ts';
import type { Refusal } from './handler.ts';

/** Of a deployment, a run or an action. Existing variables stay: Lictor overrides them when a run starts. */
export function refusedVariables(body: JsonObject, old: JsonObject | null = null): Refusal | undefined {
  return changes(body, old, 'job_variables') ? refusalOf(problemOfVariables(field(body, 'job_variables'))) : undefined;
}

/** Of a work pool. `apiUrl`: the address that it may name for its jobs. */
export function refusedTemplate(body: JsonObject, old: JsonObject | null, apiUrl: string): Refusal | undefined {
  const key = 'base_job_template';
  if (!changes(body, old, key)) return undefined;
  const template = field(body, key);
  return refusalOf(problemOfTemplate(template, key, apiUrl)) ?? remoteRefusal(leadsOut(field(template, 'variables')), `variables in ${key}`);
}

/** Of a deployment. */
export function refusedSchema(body: JsonObject, old: JsonObject | null): Refusal | undefined {
  const key = 'parameter_openapi_schema';
  return changes(body, old, key) ? remoteRefusal(leadsOut(field(body, key)), key) : undefined;
}

function remoteRefusal(isRemote: boolean, what: string): Refusal | undefined {
  return isRemote ? { code: 'body-invalid', detail: remoteDetail(what) } : undefined;
}

function refusalOf(detail: string | undefined): Refusal | undefined {
  return detail === undefined ? undefined : { code: 'env-reserved', detail };
}
