// PATCH /flow_runs/{id}/labels: Prefect merges without looking, and a value that is not a scalar makes the run unreadable.

import { isObject, isScalar, withoutKeys } from '../../contract/json/tree.ts';
import { type Family, invalid, planned } from './family.ts';
import { isReservedLabel } from './provenance.ts';

export const updateLabels: Family = {
  operations: ['update_flow_run_labels_flow_runs__id__labels_patch'],
  maxBytes: 256 * 1024,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be an object of labels.');
    if (!Object.values(body).every(isScalar)) return invalid('A label must be text, a number, true or false.');
    const unreserved = withoutKeys(body, isReservedLabel);
    if (Object.keys(unreserved).length === 0 && Object.keys(body).length > 0) return { ok: false, refusal: { code: 'label-reserved' } };
    return planned({ asks: [], intent: true, rewrite: () => unreserved });
  },
};
