// Which answers of Prefect show text that others wrote: all but those of this table.
import type { Operation } from '../../contract/operation.ts';

/** Answers with numbers, and answers that repeat what the requester itself asked for. */
export const SHOW_NONE: ReadonlySet<string> = new Set([
  'count_artifacts_artifacts_count_post',
  'count_latest_artifacts_artifacts_latest_count_post',
  'count_automations_automations_count_post',
  'count_block_documents_block_documents_count_post',
  'count_deployments_deployments_count_post',
  'count_flow_runs_flow_runs_count_post',
  'count_flows_flows_count_post',
  'count_task_runs_task_runs_count_post',
  'count_variables_variables_count_post',
  'count_work_pools_work_pools_count_post',
  'average_flow_run_lateness_flow_runs_lateness_post',
  'count_task_runs_by_flow_run_ui_flow_runs_count_task_runs_post',
  'count_deployments_by_flow_ui_flows_count_deployments_post',
  'read_task_run_counts_by_state_ui_task_runs_count_post',
  'read_dashboard_task_run_counts_ui_task_runs_dashboard_counts_post',
]);

/**
 * 201: what the requester asked for. 200: what was there before, with text of its flow. That is the run of a known idempotency key, or the
 * state of a run that refuses another one.
 */
const CREATE: readonly string[] = [
  'create_flow_run_from_deployment_deployments__id__create_flow_run_post',
  'create_flow_run_flow_runs__post',
  'set_flow_run_state_flow_runs__id__set_state_post',
  'resume_flow_run_flow_runs__id__resume_post',
];

/** `baseline`: health, version and the files of the UI. */
export function showsText({ operationId, group }: Pick<Operation, 'operationId' | 'group'>, status: number): boolean {
  if (CREATE.includes(operationId)) return status === 200;
  return group !== 'baseline' && !operationId.startsWith('docs:') && !SHOW_NONE.has(operationId);
}
