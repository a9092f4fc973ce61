// POST /flow_runs/: a local flow or a sub-flow registers its own run. It is also a second way to start a deployment.
//
// Measured with stock clients of 3.9.1: local flows and sub-flows send state PENDING, parameters, empirical_policy, flow_id and
// parent_task_run_id. They never send a deployment, a work pool or job variables; @docker and similar decorators send the last two.

import { field, isBlank, type JsonObject } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/decider.ts';
import { namedBlockAsks } from './block-references.ts';
import { createdRun, replayedRun, startedRun } from './create-flow-run.ts';
import { pick } from './field-changes.ts';
import { askInSteps, type Call, type Handler, invalid, MEBIBYTE, type Outcome, ownAsk, planned, refused, withObject } from './handler.ts';
import { parameterFacts } from './parameter-facts.ts';
import { stamped } from './provenance.ts';
import { infrastructureAsks, parentAsks, runAsksOf, runProblem, stateFacts } from './run-request.ts';
import { hydrationAsks, templateAsks } from './template-references.ts';
import { refusedVariables } from './unsafe-fields.ts';

export const createRunDirectly: Handler = {
  operations: ['create_flow_run_flow_runs__post'],
  maxBytes: 8 * MEBIBYTE,
  plan: withObject(async (call, body) => {
    const problem = runProblem(body);
    if (problem !== undefined) return invalid(problem);
    const refusal = refusedVariables(body);
    if (refusal !== undefined) return refused(refusal);
    const asks = await asksFor(call, body);
    if (asks === undefined) return invalid('flow_id must be a UUID, and deployment_id if it is given.');
    const starts = { count: 1, areNew: true, started: startedRun };
    return planned({ asks, starts, rewrite: (stamp) => stamped(withoutForeignInState(body), stamp), outcome, replayed: replayedRun });
  }),
};

/** Each of these says where and how the run executes. */
const PLACES = ['job_variables', 'work_pool_name', 'work_queue_name', 'infrastructure_document_id'];

/** The fields of a run that scopes read. */
const PLACE_OF_RUN = ['flow_id', 'deployment_id', 'parent_task_run_id', 'tags', 'work_pool_name', 'work_queue_name'];

/** Undefined: a field holds no valid id. */
async function asksFor(call: Call, body: JsonObject): Promise<readonly Ask[] | undefined> {
  const given = field(body, 'deployment_id') ?? null;
  const flow = field(body, 'flow_id');
  // Prefect creates no run without a flow.
  const uses = typeof flow === 'string' ? { uses: { type: 'Flow', id: parseUuid(flow) ?? null } as const } : {};
  if (uses.uses?.id === null) return undefined;
  const parameters = field(body, 'parameters');
  const facts = {
    parameters: !isBlank(parameters),
    job_variables: !isBlank(field(body, 'job_variables')),
    ...parameterFacts(call, parameters, 'later'),
    ...stateFacts(body),
  };
  // Prefect does not fill in parameters here, but when an automation or a form creates another run of this one.
  const reads = await askInSteps(call, [
    () => templateAsks(field(body, 'job_variables')),
    () => infrastructureAsks(body),
    () => hydrationAsks(parameters),
    () => namedBlockAsks(parameters),
  ]);
  const parent = field(body, 'parent_task_run_id');
  const on = { kind: 'created', fields: pick(body, PLACE_OF_RUN), ...uses } as const;
  if (given === null) {
    const own: Ask = { ...ownAsk(call), facts, on };
    const places: readonly Ask[] = PLACES.some((key) => !isBlank(field(body, key))) ? [{ ...own, action: 'deployments.run.override' }] : [];
    return [own, ...parentAsks(own, parent), ...places, ...reads];
  }
  const id = parseUuid(given);
  if (id === undefined) return undefined;
  // On this route Prefect checks no parameter schema and accepts any state: always an override.
  const asks = runAsksOf({ resource: { type: 'Deployment', id }, facts }, { parameters: facts.parameters, override: true });
  const run: Ask = { action: 'deployments.run.override', resource: { type: 'FlowRun', id: null }, facts, on };
  return [...asks, run, ...parentAsks(run, parent), ...reads];
}

function outcome(answer: UpstreamAnswer): Outcome {
  const { record } = createdRun(answer);
  if (record.flow_run_id === undefined) return { record };
  return { record: { ...record, resource_id: record.flow_run_id, deployment_id: textField(answerObject(answer), 'deployment_id') } };
}
