// The five sockets. They are in no OpenAPI document; the relay speaks them.

import { family } from './family.ts';

export const SOCKETS = family({ prefix: '/api', resource: 'Event', ids: [] }, [
  ['', 'GET /events/in', 'events.write', 'machine', 'relay', { operationId: 'socket:events-in', writes: true }],
  ['', 'GET /events/out', 'events.stream', 'read', 'relay', { operationId: 'socket:events-out' }],
  ['', 'GET /logs/out', 'logs.stream', 'read', 'relay', { operationId: 'socket:logs-out', resource: 'Log' }],
  [
    '',
    'GET /task_runs/subscriptions/scheduled',
    'task_worker.subscribe',
    'machine',
    'relay',
    { operationId: 'socket:task-runs-scheduled', resource: 'TaskRun', writes: true },
  ],
  [
    '',
    'GET /work_pools/{work_pool_name}/workers/connect',
    'worker.connect',
    'machine',
    'relay',
    { operationId: 'socket:worker-connect', resource: 'WorkPool', id: 'work_pool_name', writes: true },
  ],
]);
