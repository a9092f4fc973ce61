// POST /ui/schemas/validate: the UI's check of a form. Prefect fills in variables first, and its errors quote their values. Older releases
// fetch the addresses that the schema refers to.

import { field } from '../../contract/json/tree.ts';
import { leadsOut, remoteDetail } from '../../prefect/client/remote-schema.ts';
import { type Handler, invalid, MEBIBYTE, ownAsk, planned, withObject } from './handler.ts';
import { hydrationAsks } from './template-references.ts';

export const validateForm: Handler = {
  operations: ['validate_obj_ui_schemas_validate_post'],
  maxBytes: MEBIBYTE,
  plan: withObject((call, body) => {
    if (leadsOut(field(body, 'schema'))) return invalid(remoteDetail('schema'));
    return planned({ asks: [ownAsk(call), ...hydrationAsks(field(body, 'values'))], intent: false });
  }),
};
