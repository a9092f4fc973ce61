// Variables. Job variables and pull steps may refer to them.

import { family } from './family.ts';

export const VARIABLES = family({ prefix: '/api', resource: 'Variable', ids: ['id', 'name'] }, [
  ['create_variable', 'POST /variables/', 'variables.write', 'configure', 'mediated'],
  ['read_variable', 'GET /variables/{id:uuid}', 'variables.read', 'read', 'direct'],
  ['read_variable_by_name', 'GET /variables/name/{name}', 'variables.read', 'read', 'direct'],
  ['read_variables', 'POST /variables/filter', 'variables.read', 'read', 'direct'],
  ['count_variables', 'POST /variables/count', 'variables.read', 'read', 'direct'],
  ['update_variable', 'PATCH /variables/{id:uuid}', 'variables.write', 'configure', 'mediated'],
  ['update_variable_by_name', 'PATCH /variables/name/{name}', 'variables.write', 'configure', 'mediated'],
  ['delete_variable', 'DELETE /variables/{id:uuid}', 'variables.delete', 'configure', 'mediated'],
  ['delete_variable_by_name', 'DELETE /variables/name/{name}', 'variables.delete', 'configure', 'mediated'],
]);
