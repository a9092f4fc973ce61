// Creates one run of a deployment, or up to 100 at once. Parameters and overrides need separate rights.

import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { REASONS } from '../../contract/reasons.ts';
import { answerObject, objectsField, textField, withJson } from '../../prefect/client/answer.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Handler, invalid, type Lookup, MEBIBYTE, type Outcome, type Planned, planned, type ReplayedRuns, type Starts } from './handler.ts';
import { stamped } from './provenance.ts';
import { asksForRun, needsDeployment, readDeployment, runProblem } from './run-request.ts';
import { distinctAsks } from './template-references.ts';
import { refusedVariables } from './unsafe-fields.ts';

const MOST_RUNS = 100;

export const createFlowRun: Handler = {
  operations: ['create_flow_run_from_deployment_deployments__id__create_flow_run_post'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call, lookup) {
    const bodies = readBodies([call.tree ?? null]);
    if (typeof bodies === 'string') return invalid(bodies);
    return planRuns(call, lookup, bodies, { rewrite: (items) => items[0] ?? {}, outcome: createdRun, replayed: replayedRun, started: startedRun });
  },
};

export const createFlowRuns: Handler = {
  operations: ['bulk_create_flow_runs_from_deployment_deployments__id__create_flow_run_bulk_post'],
  maxBytes: 8 * MEBIBYTE,
  async plan(call, lookup) {
    if (!Array.isArray(call.tree)) return invalid('The body must be a list of runs.');
    if (call.tree.length > MOST_RUNS) return invalid(`At most ${MOST_RUNS} runs can be created at once.`);
    const bodies = readBodies(call.tree);
    if (typeof bodies === 'string') return invalid(bodies);
    return planRuns(call, lookup, bodies, {
      rewrite: (items) => items,
      outcome: (answer) => createdRuns(answer, bodies),
      replayed: replayedRuns(bodies),
      started: createdIds,
    });
  },
};

function readBodies(trees: readonly JsonValue[]): readonly JsonObject[] | string {
  const bodies: JsonObject[] = [];
  for (const tree of trees) {
    if (!isObject(tree)) return 'A run must be described by a JSON object.';
    const problem = runProblem(tree);
    if (problem !== undefined) return problem;
    bodies.push(tree);
  }
  return bodies;
}

interface Shape {
  readonly rewrite: (items: readonly JsonObject[]) => JsonValue;
  readonly outcome: (answer: UpstreamAnswer) => Outcome;
  readonly replayed: ReplayedRuns;
  readonly started: Starts['started'];
}

async function planRuns(call: Call, lookup: Lookup, bodies: readonly JsonObject[], { started, ...shape }: Shape): Promise<Planned> {
  const id = call.params['id'] ?? null;
  const deployment = bodies.some((body) => needsDeployment(call, body)) ? await readDeployment(lookup, id) : null;
  // The UI repeats the deployment's own variables, which changes nothing.
  const problem = bodies.map((body) => refusedVariables(body, deployment)).find((refusal) => refusal !== undefined);
  const asks: Ask[] = [];
  for (const body of bodies.length === 0 ? [{}] : bodies) {
    await call.turn();
    asks.push(...(await asksForRun(call, body, { id, deployment })));
  }
  return planned({
    ...shape,
    asks: distinctAsks(asks),
    problem,
    starts: { count: bodies.length, areNew: true, started },
    rewrite: (stamp) => shape.rewrite(bodies.map((body, index) => stamped(withoutForeignInState(body), stamp, index))),
  });
}

/** Only 201 is a new run; 200 is an existing run with the same idempotency key. */
export function createdRun(answer: UpstreamAnswer): Outcome {
  const id = answer.status === 201 ? textField(answerObject(answer), 'id') : null;
  return id === null ? { record: {} } : { record: { flow_run_id: id, run_binding: 'verified' } };
}

/** The id of the run that `createdRun` records. */
export function startedRun(answer: UpstreamAnswer): readonly string[] {
  const { flow_run_id: id } = createdRun(answer).record;
  return typeof id === 'string' ? [id] : [];
}

/** With replayed ones, which the answer does not distinguish. */
function createdIds(answer: UpstreamAnswer): readonly string[] {
  if (answer.status >= 300) return [];
  return objectsField(answerObject(answer), 'results').flatMap((result) =>
    field(result, 'status') === 'CREATED' ? (textField(result, 'flow_run_id') ?? []) : [],
  );
}

/** The bulk answer does not distinguish replayed from new runs, so Lictor attributes no item with an idempotency key. */
function createdRuns(answer: UpstreamAnswer, bodies: readonly JsonObject[]): Outcome {
  if (answer.status >= 300) return { record: {} };
  const runs = objectsField(answerObject(answer), 'results').flatMap((result, index) => {
    const body = bodies[index];
    const id = textField(result, 'flow_run_id');
    return id === null || isReplayable(body) || field(result, 'status') !== 'CREATED' ? [] : [id];
  });
  return { record: {}, items: runs.map((run) => ({ flow_run_id: run, run_binding: 'verified' })) };
}

/** For the answer to one creation. */
export const replayedRun: ReplayedRuns = {
  runs: (answer) => (answer.status === 201 || answer.status >= 300 ? [] : [textField(answerObject(answer), 'id') ?? '']),
  without: () => ({ code: 'run-foreign' }),
};

function replayedRuns(bodies: readonly JsonObject[]): ReplayedRuns {
  const resultsOf = (answer: UpstreamAnswer) => (answer.status < 300 ? objectsField(answerObject(answer), 'results') : []);
  return {
    runs: (answer) => resultsOf(answer).flatMap((result, index) => (isReplayable(bodies[index]) ? (textField(result, 'flow_run_id') ?? []) : [])),
    without: (answer, foreign) =>
      withJson(answer, {
        ...answerObject(answer),
        results: resultsOf(answer).map((result) => (foreign.has(textField(result, 'flow_run_id') ?? '') ? TAKEN : result)),
      }),
  };
}

/** Prefect's own result for a run that it could not create. */
const TAKEN: JsonObject = { flow_run_id: null, status: 'FAILED', error: REASONS['run-foreign'].detail };

function isReplayable(body: JsonObject | undefined): boolean {
  return body === undefined || (field(body, 'idempotency_key') ?? null) !== null;
}
