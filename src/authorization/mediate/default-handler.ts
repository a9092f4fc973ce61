// The handler of every other mediated operation: it needs the operation's own action, and forwards the parsed body.

import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { type Call, type Handler, invalid, MEBIBYTE, type Outcome, planned } from './handler.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';

export const defaultHandler: Handler = {
  operations: [],
  maxBytes: 8 * MEBIBYTE,
  plan(call) {
    const { operation, tree } = call;
    // Runs inherit the labels of their flow and deployment.
    const hasLabels = operation.resource === 'Deployment' || operation.resource === 'Flow';
    if (hasLabels && !labelsReadable(tree)) return invalid('labels must be an object.');
    const outcome = (answer: UpstreamAnswer): Outcome => createdObject(call, answer);
    return planned({ asks: [], ...(hasLabels && { rewrite: () => withoutReservedLabels(tree) }), outcome });
  },
};

/** The id of the created object. Prefect answers some upserts with 200 and the id of the existing object. */
export function createdObject(call: Call, answer: UpstreamAnswer): Outcome {
  if (answer.status >= 300 || call.operation.idParam !== null) return { record: {} };
  const id = textField(answerObject(answer), 'id');
  if (id === null) return { record: {} };
  return { record: { resource_id: id, ...(call.operation.resource === 'Deployment' && { deployment_id: id }) } };
}
