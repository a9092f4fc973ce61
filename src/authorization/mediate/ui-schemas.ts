// POST /ui/schemas/validate: the UI's check of a form. Prefect puts variables into the values first, and its errors quote them. Older ones
// fetch what the schema refers to.

import { field, isObject } from '../../contract/json/tree.ts';
import { leadsOut, remoteDetail } from '../../prefect/client/remote-schema.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { hydrationAsks } from './references.ts';

export const validateValues: Family = {
  operations: ['validate_obj_ui_schemas_validate_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    if (leadsOut(field(body, 'schema'))) return invalid(remoteDetail('schema'));
    const own = { action: call.operation.action, resource: ownResource(call) };
    return planned({ asks: [own, ...hydrationAsks(field(body, 'values'))], intent: false, rewrite: () => body });
  },
};
