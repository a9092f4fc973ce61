// `POST /flows/`: Prefect answers with the flow of that name, of any owner. A principal that knows the name gets the flow's id, but nothing that
// others have written on it.
//
// Measured with stock clients of 3.9.1: `deploy`, `serve` and every local flow and sub-flow send {"name": ...}, read the id from the
// answer, and name it in the next request.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { chainOf } from '../../contract/principal.ts';
import { answerObject, textField, withJson } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { withoutAnnotations } from '../../prefect/scope-filter/flow-annotations.ts';
import type { Ask } from '../decide/decider.ts';
import { hasScopes } from '../decide/rule.ts';
import { createdObject } from './default-handler.ts';
import { type AnswerContext, type Handler, invalid, MEBIBYTE, planned } from './handler.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';

export const registerFlow: Handler = {
  operations: ['create_flow_flows__post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    if (!labelsReadable(call.tree)) return invalid('labels must be an object.');
    const tree = withoutReservedLabels(call.tree);
    const fields = { name: field(tree, 'name') ?? null };
    return planned({
      asks: [{ action: call.operation.action, resource: { type: 'Flow', id: null }, on: { kind: 'created', fields } }],
      rewrite: () => tree,
      outcome: (answer) => createdObject(call, answer),
      narrowAnswer: (answer, context) => visibleFlow(tree, answer, context),
    });
  },
};

/** A foreign flow looks as if this request had created it. Of a flow that others use as well, the client sees only the name. */
async function visibleFlow(tree: JsonValue | undefined, answer: UpstreamAnswer, { authorize, nowMs }: AnswerContext): Promise<UpstreamAnswer> {
  const flow = answerObject(answer);
  const id = textField(flow, 'id');
  // Status 200 is an existing flow. The principal owns a flow that its request has created.
  if (answer.status !== 200 || flow === null || id === null) return answer;
  const read: Ask = { action: 'flows.read', resource: { type: 'Flow', id } };
  const { principal, decisions, entities } = await authorize([{ ...read, on: { kind: 'resource', whole: true } }, read]);
  const isScoped = principal === null || chainOf(principal).some(hasScopes);
  const [whole, plain] = decisions.map(({ enforced }) => enforced === 'allow');
  if (!isScoped || whole === true || (principal !== null && entities?.[0]?.owner === principal.id)) return answer;
  return plain === true ? withJson(answer, withoutAnnotations(flow)) : withJson({ ...answer, status: 201 }, asNew(flow, tree, new Date(nowMs).toISOString()));
}

function asNew(flow: JsonObject, tree: JsonValue | undefined, time: string): JsonObject {
  const tags = field(tree, 'tags');
  const labels = field(tree, 'labels');
  return { ...flow, created: time, updated: time, tags: isList(tags) ? tags : [], labels: isObject(labels) ? labels : {} };
}
