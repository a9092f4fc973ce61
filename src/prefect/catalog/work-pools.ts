// Work pools, their queues and workers. A base job template is code that workers run.

import { family } from './family.ts';

/** The pool decides who may; the queue or worker is only named in the path or the body. */
const IN_POOL = { id: 'work_pool_name' } as const;

export const WORK_POOLS = family({ prefix: '/api', resource: 'WorkPool', ids: ['name'] }, [
  ['create_work_pool', 'POST /work_pools/', 'work_pools.write', 'configure', 'mediated'],
  ['read_work_pool', 'GET /work_pools/{name}', 'work_pools.read', 'read', 'direct'],
  ['read_work_pools', 'POST /work_pools/filter', 'work_pools.read', 'read', 'direct'],
  ['count_work_pools', 'POST /work_pools/count', 'work_pools.read', 'read', 'direct'],
  ['update_work_pool', 'PATCH /work_pools/{name}', 'work_pools.write', 'configure', 'mediated'],
  ['delete_work_pool', 'DELETE /work_pools/{name}', 'work_pools.delete', 'configure', 'mediated'],
  ['read_work_pool_concurrency_status', 'POST /work_pools/{name}/concurrency_status', 'work_pools.read', 'read', 'direct'],
  ['get_scheduled_flow_runs', 'POST /work_pools/{name}/get_scheduled_flow_runs', 'worker.poll', 'machine', 'mediated'],
  ['create_work_queue', 'POST /work_pools/{work_pool_name}/queues', 'work_queues.write', 'configure', 'mediated', IN_POOL],
  ['read_work_queue', 'GET /work_pools/{work_pool_name}/queues/{name}', 'work_queues.read', 'read', 'direct', { resource: 'WorkQueue' }],
  ['read_work_queues', 'POST /work_pools/{work_pool_name}/queues/filter', 'work_queues.read', 'read', 'direct', IN_POOL],
  ['update_work_queue', 'PATCH /work_pools/{work_pool_name}/queues/{name}', 'work_queues.write', 'configure', 'mediated', { resource: 'WorkQueue' }],
  ['delete_work_queue', 'DELETE /work_pools/{work_pool_name}/queues/{name}', 'work_queues.delete', 'configure', 'mediated', { resource: 'WorkQueue' }],
  ['worker_heartbeat', 'POST /work_pools/{work_pool_name}/workers/heartbeat', 'worker.heartbeat', 'machine', 'direct', IN_POOL],
  ['read_workers', 'POST /work_pools/{work_pool_name}/workers/filter', 'workers.read', 'read', 'direct', IN_POOL],
  ['delete_worker', 'DELETE /work_pools/{work_pool_name}/workers/{name}', 'workers.delete', 'configure', 'mediated', { resource: 'Worker' }],
]);

export const TASK_WORKERS = family({ prefix: '/api', resource: 'Worker', ids: [] }, [
  ['read_task_workers', 'POST /task_workers/filter', 'task_workers.read', 'read', 'direct'],
]);
