// PATCH /flow_runs/{id}: workers and runs write pid, name and version; parameters and job variables change what will run.
//
// Measured with stock 3.9.1 clients: infrastructure_pid (worker), flow_version + empirical_policy (engine), name (engine).
// Read of the clients 3.6.13 to 3.9.1: a worker alone writes infrastructure_pid (workers/base.py); engine, runner, flow.serve() and the UI never do.

import { field, isObject } from '../../contract/json/tree.ts';
import { textField } from '../../prefect/client/answer.ts';
import type { Ask } from '../decide/decider.ts';
import { type Call, type Family, invalid, type Lookup, MEBIBYTE, ownResource, type Plan, planned } from './family.ts';
import { namedBlockAsks } from './parameter-blocks.ts';
import { parameterFacts } from './parameter-facts.ts';
import { hydrationAsks, templateAsks } from './references.ts';
import { refusedVariables } from './reserved-env.ts';

export const updateFlowRun: Family = {
  operations: ['update_flow_run_flow_runs__id__patch'],
  maxBytes: 8 * MEBIBYTE,
  plan(call, lookup) {
    const body = call.tree;
    if (!isObject(body)) return invalid('The body must be a JSON object.');
    const refusal = refusedVariables(body);
    if (refusal !== undefined) return { ok: false, refusal };
    const resource = ownResource(call);
    // An empty object is a change too: it takes the run's parameters away.
    const given = (key: string) => (field(body, key) ?? null) !== null;
    // What is given takes the place of all that was there.
    const values = parameterFacts(call, field(body, 'parameters'), 'later');
    const facts = { parameters: given('parameters'), job_variables: given('job_variables'), ...values };
    const tags = field(body, 'tags') ?? null;
    const asks: Ask[] = [{ action: call.operation.action, resource, facts, ...(tags !== null && { on: { kind: 'resource', changes: { tags } } }) }];
    if (facts.parameters || facts.job_variables) asks.push({ action: 'flow_runs.update.override', resource, facts });
    // Not filled in here; whatever makes another run of this one, an automation or a form, does it then.
    const parameters = field(body, 'parameters');
    asks.push(...templateAsks(field(body, 'job_variables')), ...hydrationAsks(parameters), ...namedBlockAsks(parameters));
    // Null as well: a run whose place nobody knows cannot be killed.
    const placed = field(body, 'infrastructure_pid') === undefined ? {} : placedByWorker(call, lookup);
    return planned({ asks, intent: true, rewrite: () => body, ...placed });
  },
};

const WORKERS_OWN = "infrastructure_pid says what a worker of the run's work pool kills: it is for those to write.";

/**
 * Where the run executes. Prefect hands it to a worker of the run's pool when a run that is cancelled does not end, and that one kills whatever pod,
 * container or process stands there. So it is for whoever may poll that pool, and never for a run, which would name somebody else's.
 */
function placedByWorker(call: Call, lookup: Lookup): Pick<Plan, 'further' | 'objection' | 'refusal'> {
  return {
    further: async () => {
      const run = await lookup(`/api/flow_runs/${call.params['id'] ?? ''}`);
      // Of no pool: it is nobody's worker's, and for those who may poll them all.
      const pool = isObject(run) ? textField(run, 'work_pool_name') : null;
      return [{ action: 'worker.poll', resource: { type: 'WorkPool', id: pool, ...(pool !== null && { named: true }) } }];
    },
    objection: ({ kind }) => (kind === 'run' ? { code: 'run-bound', detail: WORKERS_OWN } : undefined),
    refusal: (denied) => {
      const poll = denied.find(({ action }) => action === 'worker.poll');
      return poll?.reason === 'policy-default-deny' && denied.length === 1 ? { code: poll.reason, detail: WORKERS_OWN } : undefined;
    },
  };
}
