// Concurrency limits, old (by tag) and new, and their slots. Slots are the runs' own protocol. Only the principal that took a lease knows its id,
// and the state of a run that holds a slot of its deployment.

import { family } from './family.ts';

export const CONCURRENCY = family({ prefix: '/api', resource: 'ConcurrencyLimit', ids: ['id', 'tag', 'id_or_name'] }, [
  ['create_concurrency_limit', 'POST /concurrency_limits/', 'concurrency.write', 'configure', 'mediated'],
  ['read_concurrency_limit', 'GET /concurrency_limits/{id:uuid}', 'concurrency.read', 'read', 'direct'],
  ['read_concurrency_limit_by_tag', 'GET /concurrency_limits/tag/{tag}', 'concurrency.read', 'read', 'direct'],
  ['read_concurrency_limits', 'POST /concurrency_limits/filter', 'concurrency.read', 'read', 'direct'],
  ['reset_concurrency_limit_by_tag', 'POST /concurrency_limits/tag/{tag}/reset', 'concurrency.reset', 'configure', 'mediated'],
  ['delete_concurrency_limit', 'DELETE /concurrency_limits/{id:uuid}', 'concurrency.delete', 'configure', 'mediated'],
  ['delete_concurrency_limit_by_tag', 'DELETE /concurrency_limits/tag/{tag}', 'concurrency.delete', 'configure', 'mediated'],
  ['increment_concurrency_limits_v1', 'POST /concurrency_limits/increment', 'concurrency.slots', 'machine', 'direct'],
  ['decrement_concurrency_limits_v1', 'POST /concurrency_limits/decrement', 'concurrency.slots', 'machine', 'direct'],
  ['create_concurrency_limit_v2', 'POST /v2/concurrency_limits/', 'concurrency.write', 'configure', 'mediated'],
  ['read_concurrency_limit_v2', 'GET /v2/concurrency_limits/{id_or_name}', 'concurrency.read', 'read', 'direct'],
  ['read_all_concurrency_limits_v2', 'POST /v2/concurrency_limits/filter', 'concurrency.read', 'read', 'direct'],
  ['update_concurrency_limit_v2', 'PATCH /v2/concurrency_limits/{id_or_name}', 'concurrency.write', 'configure', 'mediated'],
  ['delete_concurrency_limit_v2', 'DELETE /v2/concurrency_limits/{id_or_name}', 'concurrency.delete', 'configure', 'mediated'],
  ['bulk_increment_active_slots', 'POST /v2/concurrency_limits/increment', 'concurrency.slots', 'machine', 'direct'],
  ['bulk_increment_active_slots_with_lease', 'POST /v2/concurrency_limits/increment-with-lease', 'concurrency.slots', 'machine', 'direct'],
  ['bulk_decrement_active_slots', 'POST /v2/concurrency_limits/decrement', 'concurrency.slots', 'machine', 'direct'],
  ['bulk_decrement_active_slots_with_lease', 'POST /v2/concurrency_limits/decrement-with-lease', 'concurrency.lease', 'machine', 'direct'],
  ['renew_concurrency_lease', 'POST /v2/concurrency_limits/leases/{lease_id:uuid}/renew', 'concurrency.lease', 'machine', 'direct'],
]);
