// Nobody writes a schema into a deployment or a pool that makes the Prefect server fetch an address.
import { field, type JsonObject } from '../../contract/json/tree.ts';
import { leadsOut, remoteDetail } from '../../prefect/client/remote-schema.ts';
import { changes } from './changes.ts';
import type { Refusal } from './family.ts';

/** Of a deployment: what it sets anew. */
export function refusedSchema(body: JsonObject, old: JsonObject | null): Refusal | undefined {
  const key = 'parameter_openapi_schema';
  return changes(body, old, key) && leadsOut(field(body, key)) ? { code: 'body-invalid', detail: remoteDetail(key) } : undefined;
}

/** Of a pool: the schema of its variables. */
export function refusedTemplateSchema(body: JsonObject, old: JsonObject | null): Refusal | undefined {
  const template = field(body, 'base_job_template');
  const variables = field(template, 'variables');
  const isRemote = changes(body, old, 'base_job_template') && leadsOut(variables);
  return isRemote ? { code: 'body-invalid', detail: remoteDetail('variables in base_job_template') } : undefined;
}
