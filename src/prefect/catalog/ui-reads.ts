// Routes that only the UI uses: saved searches, observed states, collections, counts.

import { family } from './family.ts';

export const SAVED_SEARCHES = family({ prefix: '/api', resource: 'SavedSearch', ids: ['id'] }, [
  ['create_saved_search', 'PUT /saved_searches/', 'saved_searches.write', 'configure', 'mediated'],
  ['read_saved_search', 'GET /saved_searches/{id:uuid}', 'saved_searches.read', 'read', 'direct'],
  ['read_saved_searches', 'POST /saved_searches/filter', 'saved_searches.read', 'read', 'direct'],
  ['delete_saved_search', 'DELETE /saved_searches/{id:uuid}', 'saved_searches.delete', 'configure', 'mediated'],
]);

export const COLLECTIONS = family({ prefix: '/api', resource: 'Collection', ids: ['view'] }, [
  ['read_view_content', 'GET /collections/views/{view}', 'collections.read', 'read', 'direct'],
]);

export const OBSERVED_STATES = family({ prefix: '/api', resource: 'FlowRun', ids: [] }, [
  ['read_observed_states', 'GET /observed-states', 'observed_states.read', 'read', 'direct'],
]);

export const UI_READS = family({ prefix: '/api', resource: 'Ui', ids: [] }, [
  ['count_deployments_by_flow', 'POST /ui/flows/count-deployments', 'ui.read', 'read', 'direct'],
  ['next_runs_by_flow', 'POST /ui/flows/next-runs', 'ui.read', 'read', 'direct'],
  ['read_flow_run_history', 'POST /ui/flow_runs/history', 'ui.read', 'read', 'direct'],
  ['count_task_runs_by_flow_run', 'POST /ui/flow_runs/count-task-runs', 'ui.read', 'read', 'direct'],
  ['read_dashboard_task_run_counts', 'POST /ui/task_runs/dashboard/counts', 'ui.read', 'read', 'direct'],
  ['read_task_run_counts_by_state', 'POST /ui/task_runs/count', 'ui.read', 'read', 'direct'],
  ['read_task_run_with_flow_run_name', 'GET /ui/task_runs/{id:uuid}', 'task_runs.read', 'read', 'direct', { resource: 'TaskRun', id: 'id' }],
  // Mediated for its values: Prefect fills variables into them.
  ['validate_obj', 'POST /ui/schemas/validate', 'ui.validate', 'read', 'mediated'],
]);
