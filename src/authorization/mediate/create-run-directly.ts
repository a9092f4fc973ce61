// POST /flow_runs/: how a local flow or a sub-flow registers its own run, and a second way to start a deployment.
//
// Measured with stock clients of 3.9.1: local flows and sub-flows send state PENDING, parameters, empirical_policy,
// flow_id and parent_task_run_id, never a deployment, a work pool or job variables; @docker and its like send the latter two.

import { field, isBlank, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/decider.ts';
import { pick } from './changes.ts';
import { createdRun, earlierRun } from './create-flow-run.ts';
import { askInSteps, type Call, type Family, invalid, MEBIBYTE, type Outcome, ownResource, planned } from './family.ts';
import { namedBlockAsks } from './parameter-blocks.ts';
import { parameterFacts } from './parameter-facts.ts';
import { stamped } from './provenance.ts';
import { hydrationAsks, templateAsks } from './references.ts';
import { refusedVariables } from './reserved-env.ts';
import { infrastructureAsks, parentAsks, runProblem, stateFacts } from './run-request.ts';

export const createRunDirectly: Family = {
  operations: ['create_flow_run_flow_runs__post'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A run must be described by a JSON object.');
    const problem = runProblem(body);
    if (problem !== undefined) return invalid(problem);
    const refusal = refusedVariables(body);
    if (refusal !== undefined) return { ok: false, refusal };
    const asks = await asksFor(call, body);
    if (asks === undefined) return invalid('flow_id must be a UUID, and deployment_id if it is given.');
    return planned({ asks, intent: true, rewrite: (stamp) => stamped(withoutForeignInState(body), stamp), outcome, earlier: earlierRun });
  },
};

/** Any of these says where and how it runs. */
const PLACES = ['job_variables', 'work_pool_name', 'work_queue_name', 'infrastructure_document_id'];

/** What scopes read of a run. */
const PLACE_OF_RUN = ['flow_id', 'deployment_id', 'parent_task_run_id', 'tags', 'work_pool_name', 'work_queue_name'];

/** undefined: an id cannot be read. */
async function asksFor(call: Call, body: JsonObject): Promise<readonly Ask[] | undefined> {
  const given = field(body, 'deployment_id') ?? null;
  const flow = field(body, 'flow_id');
  // Without any, Prefect makes no run.
  const uses = typeof flow === 'string' ? { uses: { type: 'Flow', id: uuidOf(flow) ?? null } as const } : {};
  if (uses.uses?.id === null) return undefined;
  const facts = {
    parameters: !isBlank(field(body, 'parameters')),
    job_variables: !isBlank(field(body, 'job_variables')),
    ...parameterFacts(call, field(body, 'parameters'), 'later'),
    ...stateFacts(body),
  };
  // Parameters are not filled in here; whatever makes another run of this one, an automation or a form, does it then.
  const parameters = field(body, 'parameters');
  const reads = await askInSteps(call, [
    () => templateAsks(field(body, 'job_variables')),
    () => infrastructureAsks(body),
    () => hydrationAsks(parameters),
    () => namedBlockAsks(parameters),
  ]);
  if (given === null) {
    const own: Ask = { action: call.operation.action, resource: ownResource(call), facts, on: { kind: 'created', fields: pick(body, PLACE_OF_RUN), ...uses } };
    const asks = [own, ...parentAsks(own, field(body, 'parent_task_run_id'))];
    const places: readonly Ask[] = PLACES.some((key) => !isBlank(field(body, key))) ? [{ ...own, action: 'deployments.run.override' }] : [];
    return [...asks, ...places, ...reads];
  }
  const id = uuidOf(given);
  if (id === undefined) return undefined;
  // This way Prefect checks no parameter schema and takes any state: always an override.
  const resource = { type: 'Deployment', id } as const;
  const asks: Ask[] = ['deployments.run', 'deployments.run.override'].map((action) => ({ action, resource, facts }));
  const run: Ask = {
    action: 'deployments.run.override',
    resource: { type: 'FlowRun', id: null },
    facts,
    on: { kind: 'created', fields: pick(body, PLACE_OF_RUN), ...uses },
  };
  return [
    ...asks,
    run,
    ...parentAsks(run, field(body, 'parent_task_run_id')),
    ...(facts.parameters ? [{ action: 'deployments.run.parameters', resource, facts }] : []),
    ...reads,
  ];
}

function uuidOf(value: JsonValue | undefined): string | undefined {
  return parseUuid(value);
}

function outcome(answer: UpstreamAnswer): Outcome {
  const { record } = createdRun(answer);
  if (record.flow_run_id === undefined) return { record };
  return { record: { ...record, resource_id: record.flow_run_id, deployment_id: textField(answerObject(answer), 'deployment_id') } };
}
