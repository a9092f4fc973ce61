// PATCH /flow_runs/{id}: workers and runs write pid, name and version; parameters and job variables change what will run.
//
// Measured with stock 3.9.1 clients: infrastructure_pid (worker), flow_version + empirical_policy (engine), name (engine).
import type { Ask } from '../decide/decider.ts';
import { field, isObject } from '../json/tree.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { parameterFacts } from './parameter-facts.ts';
import { hydrationAsks, templateAsks } from './references.ts';
import { refusedVariables } from './reserved-env.ts';

export const updateFlowRun: Family = {
  operations: ['update_flow_run_flow_runs__id__patch'],
  maxBytes: 8 * MEBIBYTE,
  plan(call) {
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
    const asks: Ask[] = [{ action: call.operation.action, resource, facts, ...(tags !== null && { changes: { tags } }) }];
    if (facts.parameters || facts.job_variables) asks.push({ action: 'flow_runs.update.override', resource, facts });
    // Not filled in here; whatever makes another run of this one, an automation or a form, does it then.
    asks.push(...templateAsks(field(body, 'job_variables')), ...hydrationAsks(field(body, 'parameters')));
    return planned({ asks, intent: true, rewrite: () => body });
  },
};
