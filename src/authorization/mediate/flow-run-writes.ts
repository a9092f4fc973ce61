// Changes of a flow run: PATCH with parameters, job variables or infrastructure_pid; labels; and the input that resumes a paused run.
//
// Measured with stock 3.9.1 clients: infrastructure_pid (worker), flow_version + empirical_policy (engine), name (engine). In the clients
// 3.6.13 to 3.9.1 only a worker writes infrastructure_pid (workers/base.py): engine, runner, flow.serve() and the UI do not.

import { field, isObject, isScalar, withoutKeys } from '../../contract/json/tree.ts';
import { answerObject, textField } from '../../prefect/client/answer.ts';
import type { Ask } from '../decide/decider.ts';
import { namedBlockAsks } from './block-references.ts';
import {
  type Call,
  type Handler,
  invalid,
  type Lookup,
  MEBIBYTE,
  ownAsk,
  ownResource,
  type Plan,
  planned,
  refused,
  type Starts,
  withObject,
} from './handler.ts';
import { parameterFacts } from './parameter-facts.ts';
import { isReservedLabel } from './provenance.ts';
import { hasChanged } from './set-state.ts';
import { hydrationAsks, templateAsks } from './template-references.ts';
import { refusedVariables } from './unsafe-fields.ts';

export const updateFlowRun: Handler = {
  operations: ['update_flow_run_flow_runs__id__patch'],
  maxBytes: 8 * MEBIBYTE,
  plan: withObject((call, body, lookup) => {
    const refusal = refusedVariables(body);
    if (refusal !== undefined) return refused(refusal);
    const parameters = field(body, 'parameters');
    // An empty object is a change too: it removes the run's parameters.
    const given = (key: string) => (field(body, key) ?? null) !== null;
    // The given parameters replace all existing ones.
    const facts = { parameters: given('parameters'), job_variables: given('job_variables'), ...parameterFacts(call, parameters, 'later') };
    const tags = field(body, 'tags') ?? null;
    const asks: Ask[] = [{ ...ownAsk(call), facts, ...(tags !== null && { on: { kind: 'resource', changes: { tags } } }) }];
    if (facts.parameters || facts.job_variables) asks.push({ action: 'flow_runs.update.override', resource: ownResource(call), facts });
    // Prefect does not fill in parameters here, but when an automation or a form creates another run of this one.
    asks.push(...templateAsks(field(body, 'job_variables')), ...hydrationAsks(parameters), ...namedBlockAsks(parameters));
    // Null as well: no worker can kill a run whose infrastructure is unknown.
    const onlyWorkers = field(body, 'infrastructure_pid') === undefined ? {} : restrictToWorkers(call, lookup);
    return planned({ asks, ...onlyWorkers });
  }),
};

const WORKERS_OWN = "infrastructure_pid says what a worker of the run's work pool kills: only those workers may write it.";

/**
 * If a cancelled run does not end, Prefect gives infrastructure_pid to a worker of the run's pool, which kills that pod, container or process.
 * So only principals that may poll that pool write it. A run never does, since it could name the infrastructure of another run.
 */
function restrictToWorkers(call: Call, lookup: Lookup): Pick<Plan, 'further' | 'objection' | 'refusal'> {
  return {
    further: async () => {
      const run = await lookup(`/api/flow_runs/${call.params['id'] ?? ''}`);
      // A run without a pool has no worker: the principal then needs the right to poll every pool.
      const pool = textField(run, 'work_pool_name');
      return [{ action: 'worker.poll', resource: { type: 'WorkPool', id: pool, ...(pool !== null && { named: true }) } }];
    },
    objection: ({ kind }) => (kind === 'run' ? { code: 'run-bound', detail: WORKERS_OWN } : undefined),
    refusal: (denied) => {
      const poll = denied.find(({ action }) => action === 'worker.poll');
      return poll?.reason === 'policy-default-deny' && denied.length === 1 ? { code: poll.reason, detail: WORKERS_OWN } : undefined;
    },
  };
}

/** Prefect merges labels without a check. A value that is not a scalar would make the run unreadable. */
export const updateLabels: Handler = {
  operations: ['update_flow_run_labels_flow_runs__id__labels_patch'],
  maxBytes: 256 * 1024,
  plan: withObject((_call, body) => {
    if (!Object.values(body).every(isScalar)) return invalid('A label must be text, a number, true or false.');
    const unreserved = withoutKeys(body, isReservedLabel);
    if (Object.keys(unreserved).length === 0 && Object.keys(body).length > 0) return refused({ code: 'label-reserved' });
    return planned({ asks: [], rewrite: () => unreserved });
  }),
};

/** Prefect fills the input of the paused run in from variables. */
export const resumeFlowRun: Handler = {
  operations: ['resume_flow_run_flow_runs__id__resume_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    if (call.tree !== undefined && !isObject(call.tree)) return invalid('The body must be a JSON object.');
    const id = ownResource(call).id;
    const started: Starts['started'] = (answer) => (id !== null && hasChanged(answerObject(answer)) ? [id] : []);
    return planned({ asks: [ownAsk(call), ...hydrationAsks(field(call.tree, 'run_input'))], starts: { count: 1, areNew: false, started } });
  },
};
