// The fields of Prefect's filters that a scoped principal may use: those about data that its answers contain.
//
// The fields are those of Prefect 3.9.1 (server/schemas/filters.py); older releases have fewer. The tests of a field (`any_`, `like_`) are
// about the same data, so they are not listed. visible-filters.ts rewrites some of these fields.
import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import type { Refusal } from './scope-filter.ts';

const TIMES = ['start_time', 'end_time', 'expected_start_time'];
const ARTIFACTS = ['id', 'latest_id', 'key', 'flow_run_id', 'task_run_id', 'type'];
const WORK_QUEUES = ['id', 'name'];

/** By the key of a filter in a body. Excluded: tags and deployments of a flow, which teams share, and the automation that created a run. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  flows: ['id', 'name'],
  flow_runs: [
    ...['id', 'name', 'tags', 'deployment_id', 'work_queue_name', 'state', 'flow_version', 'next_scheduled_start_time', 'idempotency_key'],
    ...['parent_flow_run_id', 'parent_task_run_id', ...TIMES],
  ],
  task_runs: ['id', 'name', 'tags', 'state', 'subflow_runs', 'flow_run_id', ...TIMES],
  deployments: ['id', 'name', 'flow_or_deployment_name', 'paused', 'tags', 'work_queue_name', 'concurrency_limit'],
  work_pools: ['id', 'name', 'type'],
  work_queues: WORK_QUEUES,
  work_pool_queues: WORK_QUEUES,
  artifacts: ARTIFACTS,
  logs: ['level', 'timestamp', 'flow_run_id', 'task_run_id', 'text'],
  variables: ['id', 'name', 'tags'],
  block_documents: ['id', 'is_anonymous', 'block_type_id', 'name'],
  block_types: ['name', 'slug'],
  block_schemas: ['block_type_id', 'block_capabilities', 'id', 'version'],
  automations: ['id', 'name', 'created', 'tags'],
};

/** Undefined: no filter in the body is about hidden data. Every object in a body is a filter. */
export function hiddenFilter(body: JsonObject): Refusal | undefined {
  for (const [key, filter] of Object.entries(body)) {
    if (!isObject(filter)) continue;
    const hidden = Object.keys(filter).find((name) => name !== 'operator' && !isVisible(key, name) && asks(field(filter, name)));
    if (hidden !== undefined) return hiddenField(`${key}.${hidden}`);
    if (!Object.hasOwn(FIELDS, key) && asks(filter)) return hiddenField(key);
  }
  return undefined;
}

export function hiddenField(name: string): Refusal {
  const named = /^[a-z_.]{1,80}$/.test(name) ? name : 'a field of this filter';
  return { code: 'filter-hidden', detail: `A role with a scope may not filter by ${named}: it asks about data that no answer shows to the role.` };
}

/** The fields of a filter that are not empty, without the operator. */
export function askedFields(filter: JsonValue | undefined): readonly string[] {
  return isObject(filter) ? Object.keys(filter).filter((name) => name !== 'operator' && asks(field(filter, name))) : [];
}

function isVisible(key: string, name: string): boolean {
  return Object.hasOwn(FIELDS, key) && FIELDS[key]?.includes(name) === true;
}

/** UIs send empty fields, which have no effect. */
function asks(criterion: JsonValue | undefined): boolean {
  if (!isObject(criterion)) return !isBlank(criterion);
  return Object.entries(criterion).some(([test, value]) => test !== 'operator' && value !== null && !(test === 'all_' && isList(value) && value.length === 0));
}
