// Task runs and their states. Prefect 3 reports most of them as events, not here.

import { family } from './family.ts';

export const TASK_RUNS = family({ prefix: '/api', resource: 'TaskRun', ids: ['id'] }, [
  ['create_task_run', 'POST /task_runs/', 'task_runs.create', 'machine', 'direct'],
  ['update_task_run', 'PATCH /task_runs/{id:uuid}', 'task_runs.update', 'machine', 'direct'],
  ['count_task_runs', 'POST /task_runs/count', 'task_runs.read', 'read', 'direct'],
  ['task_run_history', 'POST /task_runs/history', 'task_runs.read', 'read', 'direct'],
  ['read_task_run', 'GET /task_runs/{id:uuid}', 'task_runs.read', 'read', 'direct'],
  ['read_task_runs', 'POST /task_runs/filter', 'task_runs.read', 'read', 'direct'],
  ['paginate_task_runs', 'POST /task_runs/paginate', 'task_runs.read', 'read', 'direct'],
  ['delete_task_run', 'DELETE /task_runs/{id:uuid}', 'task_runs.delete', 'configure', 'mediated'],
  ['set_task_run_state', 'POST /task_runs/{id:uuid}/set_state', 'task_runs.set_state', 'machine', 'direct'],
]);

/** The id in the path is a state's. */
export const TASK_RUN_STATES = family({ prefix: '/api', resource: 'TaskRun', ids: [] }, [
  ['read_task_run_state', 'GET /task_run_states/{id:uuid}', 'task_runs.read', 'read', 'direct', { id: null }],
  ['read_task_run_states', 'GET /task_run_states/', 'task_runs.read', 'read', 'direct', { query: ['task_run_id'] }],
]);
