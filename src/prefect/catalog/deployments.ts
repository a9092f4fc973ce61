// Deployments and their schedules. Pull steps and entry points are code that workers run.

import { family } from './family.ts';

export const DEPLOYMENTS = family({ prefix: '/api', resource: 'Deployment', ids: ['id'] }, [
  ['create_deployment', 'POST /deployments/', 'deployments.write', 'configure', 'mediated'],
  ['update_deployment', 'PATCH /deployments/{id:uuid}', 'deployments.write', 'configure', 'mediated'],
  ['read_deployment_by_name', 'GET /deployments/name/{flow_name}/{deployment_name}', 'deployments.read', 'read', 'direct', { id: 'deployment_name' }],
  ['read_deployment', 'GET /deployments/{id:uuid}', 'deployments.read', 'read', 'direct'],
  ['read_deployments', 'POST /deployments/filter', 'deployments.read', 'read', 'direct'],
  ['paginate_deployments', 'POST /deployments/paginate', 'deployments.read', 'read', 'direct'],
  ['get_scheduled_flow_runs_for_deployments', 'POST /deployments/get_scheduled_flow_runs', 'runner.poll', 'machine', 'direct'],
  ['count_deployments', 'POST /deployments/count', 'deployments.read', 'read', 'direct'],
  ['delete_deployment', 'DELETE /deployments/{id:uuid}', 'deployments.delete', 'configure', 'mediated'],
  ['bulk_delete_deployments', 'POST /deployments/bulk_delete', 'deployments.delete', 'configure', 'mediated'],
  ['schedule_deployment', 'POST /deployments/{id:uuid}/schedule', 'deployments.schedule_runs', 'steer', 'mediated'],
  ['resume_deployment', 'POST /deployments/{id:uuid}/resume_deployment', 'deployments.pause', 'configure', 'mediated'],
  ['pause_deployment', 'POST /deployments/{id:uuid}/pause_deployment', 'deployments.pause', 'configure', 'mediated'],
  ['create_flow_run_from_deployment', 'POST /deployments/{id:uuid}/create_flow_run', 'deployments.run', 'steer', 'mediated'],
  ['bulk_create_flow_runs_from_deployment', 'POST /deployments/{id:uuid}/create_flow_run/bulk', 'deployments.run', 'steer', 'mediated'],
  ['work_queue_check_for_deployment', 'GET /deployments/{id:uuid}/work_queue_check', 'deployments.read', 'read', 'direct'],
  ['read_deployment_schedules', 'GET /deployments/{id:uuid}/schedules', 'deployments.read', 'read', 'direct'],
  ['create_deployment_schedules', 'POST /deployments/{id:uuid}/schedules', 'deployments.schedule.write', 'configure', 'mediated'],
  ['update_deployment_schedule', 'PATCH /deployments/{id:uuid}/schedules/{schedule_id:uuid}', 'deployments.schedule.write', 'configure', 'mediated'],
  ['delete_deployment_schedule', 'DELETE /deployments/{id:uuid}/schedules/{schedule_id:uuid}', 'deployments.schedule.write', 'configure', 'mediated'],
]);
