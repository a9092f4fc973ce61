// POST /flow_runs/{id}/resume: the answer to a paused run; its input may be made from variables.

import { field, isObject } from '../../contract/json/tree.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { hydrationAsks } from './references.ts';

export const resume: Family = {
  operations: ['resume_flow_run_flow_runs__id__resume_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (body !== undefined && !isObject(body)) return invalid('The body must be a JSON object.');
    const input = field(body, 'run_input');
    const own = { action: call.operation.action, resource: ownResource(call) };
    return planned({ asks: [own, ...hydrationAsks(input)], intent: true, rewrite: () => body });
  },
};
