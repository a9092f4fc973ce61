// `POST /flows/`: registering a name gives the flow of that name, whosever it is. Whoever knows the name gets its id, and nothing that others have written on it.
//
// Measured with stock clients of 3.9.1: `deploy`, `serve` and every local flow and sub-flow send {"name": ...}, read the id out of the
// answer, and name it in the request after it.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { answerObject, textField, withJson } from '../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import { wordless } from '../../prefect/scope-filter/flow-words.ts';
import type { Ask } from '../decide/decider.ts';
import { type Family, invalid, MEBIBYTE, planned, type Showing } from './family.ts';
import { createdObject } from './generic.ts';
import { labelsReadable, withoutReservedLabels } from './provenance.ts';

export const registerFlow: Family = {
  operations: ['create_flow_flows__post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const { operation } = call;
    if (isObject(call.tree) && !labelsReadable(call.tree)) return invalid('labels must be an object.');
    const tree = withoutReservedLabels(call.tree);
    const name = field(tree, 'name') ?? null;
    const own: Ask = { action: operation.action, resource: { type: 'Flow', id: null }, on: { kind: 'created', fields: { name } } };
    return planned({
      asks: [own],
      intent: operation.writes,
      rewrite: () => tree,
      outcome: (answer) => createdObject(call, answer),
      shown: (answer, showing) => shownFlow(tree, answer, showing),
    });
  },
};

/** A flow that is not reached looks as if it had been made by this request; of one that others use as well only the name is shown. */
async function shownFlow(tree: JsonValue | undefined, answer: UpstreamAnswer, { may, nowMs }: Showing): Promise<UpstreamAnswer> {
  const flow = answerObject(answer);
  const id = textField(flow, 'id');
  // What this request has made is its maker's: 200 is a flow that was there.
  if (answer.status !== 200 || flow === null || id === null) return answer;
  const read: Ask = { action: 'flows.read', resource: { type: 'Flow', id } };
  const { principal, decisions, entities } = await may([{ ...read, on: { kind: 'resource', whole: true } }, read]);
  const isScoped = principal === null || principal.grants.some(({ scope }) => scope !== null);
  const [whole, plain] = decisions.map(({ enforced }) => enforced === 'allow');
  if (!isScoped || whole === true || (principal !== null && entities?.[0]?.owner === principal.id)) return answer;
  return plain === true ? withJson(answer, wordless(flow)) : withJson({ ...answer, status: 201 }, asNew(flow, tree, new Date(nowMs).toISOString()));
}

function asNew(flow: JsonObject, tree: JsonValue | undefined, time: string): JsonObject {
  const tags = field(tree, 'tags');
  const labels = field(tree, 'labels');
  return { ...flow, created: time, updated: time, tags: isList(tags) ? tags : [], labels: isObject(labels) ? labels : {} };
}
