// Flow runs, their states and inputs. What `set_state` means is in its body (actions.ts).

import { family } from './family.ts';

export const FLOW_RUNS = family({ prefix: '/api', resource: 'FlowRun', ids: ['id'] }, [
  ['create_flow_run', 'POST /flow_runs/', 'flow_runs.create', 'machine', 'mediated'],
  ['update_flow_run', 'PATCH /flow_runs/{id:uuid}', 'flow_runs.update', 'machine', 'mediated'],
  ['count_flow_runs', 'POST /flow_runs/count', 'flow_runs.read', 'read', 'direct'],
  ['average_flow_run_lateness', 'POST /flow_runs/lateness', 'flow_runs.read', 'read', 'direct'],
  ['flow_run_history', 'POST /flow_runs/history', 'flow_runs.read', 'read', 'direct'],
  ['read_flow_run', 'GET /flow_runs/{id:uuid}', 'flow_runs.read', 'read', 'direct'],
  ['read_flow_run_graph_v1', 'GET /flow_runs/{id:uuid}/graph', 'flow_runs.read', 'read', 'direct'],
  ['read_flow_run_graph_v2', 'GET /flow_runs/{id:uuid}/graph-v2', 'flow_runs.read', 'read', 'direct'],
  ['resume_flow_run', 'POST /flow_runs/{id:uuid}/resume', 'flow_runs.resume', 'steer', 'mediated'],
  ['read_flow_runs', 'POST /flow_runs/filter', 'flow_runs.read', 'read', 'direct'],
  ['delete_flow_run', 'DELETE /flow_runs/{id:uuid}', 'flow_runs.delete', 'configure', 'mediated'],
  ['bulk_delete_flow_runs', 'POST /flow_runs/bulk_delete', 'flow_runs.delete', 'configure', 'mediated'],
  ['bulk_set_flow_run_state', 'POST /flow_runs/bulk_set_state', 'flow_runs.set_state.bulk', 'steer', 'mediated'],
  ['set_flow_run_state', 'POST /flow_runs/{id:uuid}/set_state', 'flow_runs.set_state', 'machine', 'mediated'],
  ['create_flow_run_input', 'POST /flow_runs/{id:uuid}/input', 'flow_runs.input.write', 'steer', 'mediated'],
  ['filter_flow_run_input', 'POST /flow_runs/{id:uuid}/input/filter', 'flow_runs.input.read', 'read', 'direct'],
  ['read_flow_run_input', 'GET /flow_runs/{id:uuid}/input/{key}', 'flow_runs.input.read', 'read', 'direct'],
  ['delete_flow_run_input', 'DELETE /flow_runs/{id:uuid}/input/{key}', 'flow_runs.input.write', 'steer', 'mediated'],
  ['paginate_flow_runs', 'POST /flow_runs/paginate', 'flow_runs.read', 'read', 'direct'],
  ['download_logs', 'GET /flow_runs/{id:uuid}/logs/download', 'logs.read', 'read', 'direct'],
  ['update_flow_run_labels', 'PATCH /flow_runs/{id:uuid}/labels', 'flow_runs.labels', 'machine', 'mediated'],
]);

/** The id in the path is a state's. */
export const FLOW_RUN_STATES = family({ prefix: '/api', resource: 'FlowRun', ids: [] }, [
  ['read_flow_run_state', 'GET /flow_run_states/{id:uuid}', 'flow_runs.read', 'read', 'direct', { id: null }],
  ['read_flow_run_states', 'GET /flow_run_states/', 'flow_runs.read', 'read', 'direct', { query: ['flow_run_id'] }],
]);
