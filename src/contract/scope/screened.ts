// Reads whose answers name other objects than the one that is asked for: the run that started a run, the task runs that hold a slot; or what others have written on a flow.
import type { ActionName, Operation } from '../operation.ts';

const SCREENED: readonly ActionName[] = [
  'flow_runs.read',
  'task_runs.read',
  'deployments.read',
  'concurrency.read',
  'runner.poll',
  'worker.poll',
  'flows.read',
];

/** True: a principal with scopes gets the answer without references to objects outside them (src/prefect/scope-filter/foreign-references.ts). */
export function isScreenedRead(action: ActionName): boolean {
  return SCREENED.includes(action);
}

/** Scopes cover pools and queues by name alone; these of their reads also name the runs that hold their slots, foreign ones too. */
const NAMING_RUNS: readonly string[] = [
  'read_work_pool_concurrency_status_work_pools__name__concurrency_status_post',
  'read_work_queue_concurrency_status_work_queues__id__concurrency_status_post',
];

/** The same for a route whose action is not screened everywhere. */
export function isScreenedRoute({ operationId }: Pick<Operation, 'operationId'>): boolean {
  return NAMING_RUNS.includes(operationId);
}
