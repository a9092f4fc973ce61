// Automations and template checks. Actions of automations run inside the server and bypass the gateway, so the mediator requires the right of each.

import { family } from './family.ts';

export const AUTOMATIONS = family({ prefix: '/api', resource: 'Automation', ids: ['id', 'resource_id'] }, [
  ['create_automation', 'POST /automations/', 'automations.write', 'configure', 'mediated'],
  ['update_automation', 'PUT /automations/{id:uuid}', 'automations.write', 'configure', 'mediated'],
  ['patch_automation', 'PATCH /automations/{id:uuid}', 'automations.toggle', 'configure', 'mediated'],
  ['delete_automation', 'DELETE /automations/{id:uuid}', 'automations.delete', 'configure', 'mediated'],
  ['read_automations', 'POST /automations/filter', 'automations.read', 'read', 'direct'],
  ['count_automations', 'POST /automations/count', 'automations.read', 'read', 'direct'],
  ['read_automation', 'GET /automations/{id:uuid}', 'automations.read', 'read', 'direct'],
  ['read_automations_related_to_resource', 'GET /automations/related-to/{resource_id}', 'automations.read', 'read', 'direct', { id: null }],
  ['delete_automations_owned_by_resource', 'DELETE /automations/owned-by/{resource_id}', 'automations.delete_owned', 'configure', 'mediated'],
]);

export const TEMPLATES = family({ prefix: '/api', resource: 'Automation', ids: [] }, [
  ['validate_template', 'POST /automations/templates/validate', 'templates.validate', 'read', 'direct'],
  ['validate_template', 'POST /templates/validate', 'templates.validate', 'read', 'direct'],
]);
