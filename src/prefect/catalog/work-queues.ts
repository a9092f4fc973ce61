// Work queues by id. Those of a pool are with the pools.

import { family } from './family.ts';

export const WORK_QUEUES = family({ prefix: '/api', resource: 'WorkQueue', ids: ['id', 'name'] }, [
  ['create_work_queue', 'POST /work_queues/', 'work_queues.write', 'configure', 'mediated'],
  ['update_work_queue', 'PATCH /work_queues/{id:uuid}', 'work_queues.write', 'configure', 'mediated'],
  ['read_work_queue_by_name', 'GET /work_queues/name/{name}', 'work_queues.read', 'read', 'direct'],
  ['read_work_queue', 'GET /work_queues/{id:uuid}', 'work_queues.read', 'read', 'direct'],
  ['read_work_queue_runs', 'POST /work_queues/{id:uuid}/get_runs', 'worker.poll', 'machine', 'direct'],
  ['read_work_queues', 'POST /work_queues/filter', 'work_queues.read', 'read', 'direct'],
  ['delete_work_queue', 'DELETE /work_queues/{id:uuid}', 'work_queues.delete', 'configure', 'mediated'],
  ['read_work_queue_concurrency_status', 'POST /work_queues/{id:uuid}/concurrency_status', 'work_queues.read', 'read', 'direct'],
  ['read_work_queue_status', 'GET /work_queues/{id:uuid}/status', 'work_queues.read', 'read', 'direct'],
]);
