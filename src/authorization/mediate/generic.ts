// Every other mediated operation: strict parse, its own action, intent and outcome, the parsed tree forwarded.

import { isObject } from '../../contract/json/tree.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Call, type Family, MEBIBYTE, type Outcome, planned } from './family.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';

export const generic: Family = {
  operations: [],
  maxBytes: 8 * MEBIBYTE,
  plan(call) {
    const { operation, tree } = call;
    // Runs inherit the labels of their flow and deployment.
    const labelled = operation.resource === 'Deployment' || operation.resource === 'Flow';
    if (labelled && isObject(tree) && !labelsReadable(tree)) return { ok: false, refusal: { code: 'body-invalid', detail: 'labels must be an object.' } };
    return planned({
      asks: [],
      intent: operation.writes,
      rewrite: () => (labelled ? withoutReservedLabels(tree) : tree),
      outcome: (answer) => createdObject(call, answer),
    });
  },
};

/** The id of what was created; Prefect answers some upserts with 200 and the id of what was there. */
export function createdObject(call: Call, answer: UpstreamAnswer): Outcome {
  if (answer.status >= 300 || call.operation.idParam !== null) return { record: {} };
  const id = textField(answerObject(answer), 'id');
  if (id === null) return { record: {} };
  return { record: { resource_id: id, ...(call.operation.resource === 'Deployment' && { deployment_id: id }) } };
}
