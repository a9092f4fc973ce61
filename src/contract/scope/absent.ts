// The answers of Prefect for a missing object, by route. Lictor answers for a foreign object in the same bytes.
//
// Measured on Prefect 3.9.1; test/integration/scopes.test.ts asks the real server again. Three routes have no such answer there
// (a run's inputs are an empty list, scheduling answers null, resuming 500): they are answered like the others of their kind.
import type { Operation, ResourceType } from '../operation.ts';

/** An expired lease does not exist, and a release of it has no effect. */
const STATUS: Readonly<Record<string, number>> = {
  renew_concurrency_lease_v2_concurrency_limits_leases__lease_id__renew_post: 410,
  bulk_decrement_active_slots_with_lease_v2_concurrency_limits_decrement_with_lease_post: 204,
};

/** 404 for most routes. */
export function absentStatus(operation: Operation | undefined): number {
  return STATUS[operation?.operationId ?? ''] ?? 404;
}

/** Empty with status 204. `{id}` and `{within}` stand for what the path names. `!` in front: Prefect's other form, `exception_message`. */
export function absentBody(operation: Operation | undefined, params: Readonly<Record<string, string>>): string {
  if (operation === undefined) return NOT_FOUND;
  if (absentStatus(operation) === 204) return '';
  const words = BY_OPERATION[operation.operationId] ?? BY_TYPE[operation.resource];
  if (words === undefined) return NOT_FOUND;
  const { idParam, withinParam } = operation;
  const named = { id: idParam === null ? '' : (params[idParam] ?? ''), within: withinParam === null ? '' : (params[withinParam] ?? '') };
  const text = words.replace(/^!/, '').replaceAll(/\{(id|within)\}/g, (_, key: 'id' | 'within') => named[key]);
  return JSON.stringify({ [words.startsWith('!') ? 'exception_message' : 'detail']: text });
}

const NOT_FOUND = '{"detail":"Not Found"}';

const POOL = 'Work pool "{id}" not found.';
const POOL_OF = 'Work pool "{within}" not found.';
const LIMIT = 'Concurrency Limit not found';

const BY_TYPE: Readonly<Partial<Record<ResourceType, string>>> = {
  Flow: 'Flow not found',
  FlowRun: 'Flow run not found',
  TaskRun: 'Task not found',
  Deployment: 'Deployment not found',
  WorkPool: POOL,
  WorkQueue: 'work queue not found',
  Worker: POOL_OF,
  Automation: '!Automation not found',
  Artifact: 'Artifact not found.',
  Variable: 'Variable not found.',
  BlockType: 'Block type not found',
  BlockDocument: 'Block document not found',
  ConcurrencyLimit: 'Concurrency limit not found',
  SavedSearch: 'Saved search not found',
};

/** Routes with a different text. */
const BY_OPERATION: Readonly<Record<string, string>> = {
  read_flow_run_graph_v1_flow_runs__id__graph_get: '!Flow run with id {id} not found',
  read_flow_run_graph_v2_flow_runs__id__graph_v2_get: '!Flow run {id} not found',
  set_flow_run_state_flow_runs__id__set_state_post: '!Flow run with id {id} not found',
  // The foreign object is the flow that the body names. Prefect answers 409 for a missing flow; Lictor answers as for a foreign one.
  create_deployment_deployments__post: 'Flow not found',
  create_flow_run_flow_runs__post: 'Flow not found',
  update_flow_run_labels_flow_runs__id__labels_patch: '!Flow run with id {id} not found',
  read_flow_run_input_flow_runs__id__input__key__get: 'Flow run input not found',
  delete_flow_run_input_flow_runs__id__input__key__delete: 'Flow run input not found',
  update_task_run_task_runs__id__patch: 'Task run not found',
  set_task_run_state_task_runs__id__set_state_post: '!Task run with id {id} not found',
  update_deployment_deployments__id__patch: 'Deployment not found.',
  read_deployment_schedules_deployments__id__schedules_get: 'Deployment not found.',
  create_deployment_schedules_deployments__id__schedules_post: 'Deployment not found.',
  update_deployment_schedule_deployments__id__schedules__schedule_id__patch: 'Deployment not found.',
  delete_deployment_schedule_deployments__id__schedules__schedule_id__delete: 'Deployment not found.',
  read_work_pool_concurrency_status_work_pools__name__concurrency_status_post: "Work pool '{id}' not found.",
  read_work_queue_work_pools__work_pool_name__queues__name__get: "Work pool queue '{within}/{id}' not found.",
  update_work_queue_work_pools__work_pool_name__queues__name__patch: POOL_OF,
  delete_work_queue_work_pools__work_pool_name__queues__name__delete: POOL_OF,
  update_work_queue_work_queues__id__patch: 'Work Queue {id} not found',
  read_work_queue_runs_work_queues__id__get_runs_post: '!Work queue with id {id} not found.',
  read_work_queue_concurrency_status_work_queues__id__concurrency_status_post: 'Work queue not found.',
  read_work_queue_status_work_queues__id__status_get: '!Work queue with id {id} not found',
  renew_concurrency_lease_v2_concurrency_limits_leases__lease_id__renew_post: 'Lease not found - it may have expired or been revoked',
  read_concurrency_limit_v2_v2_concurrency_limits__id_or_name__get: LIMIT,
  update_concurrency_limit_v2_v2_concurrency_limits__id_or_name__patch: LIMIT,
  delete_concurrency_limit_v2_v2_concurrency_limits__id_or_name__delete: LIMIT,
};
