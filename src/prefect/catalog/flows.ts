// Flows. Deleting one deletes its deployments and flow runs.

import { family } from './family.ts';

export const FLOWS = family({ prefix: '/api', resource: 'Flow', ids: ['id', 'name'] }, [
  // Mediated for its labels alone: runs inherit a flow's, so a client's own `lictor.*` there would look like provenance.
  ['create_flow', 'POST /flows/', 'flows.register', 'machine', 'mediated'],
  ['update_flow', 'PATCH /flows/{id:uuid}', 'flows.write', 'configure', 'mediated'],
  ['count_flows', 'POST /flows/count', 'flows.read', 'read', 'direct'],
  ['read_flow_by_name', 'GET /flows/name/{name}', 'flows.read', 'read', 'direct'],
  ['read_flow', 'GET /flows/{id:uuid}', 'flows.read', 'read', 'direct'],
  ['read_flows', 'POST /flows/filter', 'flows.read', 'read', 'direct'],
  ['delete_flow', 'DELETE /flows/{id:uuid}', 'flows.delete', 'configure', 'mediated'],
  ['bulk_delete_flows', 'POST /flows/bulk_delete', 'flows.delete', 'configure', 'mediated'],
  ['paginate_flows', 'POST /flows/paginate', 'flows.read', 'read', 'direct'],
]);
