// set_state and bulk_set_state: one route for people who cancel and retry and for the machines that run; the body says which.
//
// Measured with stock clients of 3.9.1. With force: the UI's CANCELLING and SCHEDULED (retry), the CLI's SCHEDULED (retry),
// the worker's CANCELLED, the engine's CRASHED and CANCELLING/CANCELLED, remote infrastructure's PENDING and FAILED.
// Without: the CLI's CANCELLING, the engine's RUNNING, COMPLETED, FAILED and PAUSED, the worker's PENDING.

import { field, isObject, type JsonObject } from '../../contract/json/tree.ts';
import { isReservedStateName } from '../../contract/prefect-event.ts';
import { answerObject, objectsField, textField } from '../../prefect/client/answer.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { UpstreamAnswer } from '../../prefect/client/upstream.ts';
import type { Ask } from '../decide/decider.ts';
import { FLOW_RUNS, itemRecords, itemRefusal, namingOnly, resolve } from './bulk.ts';
import { type Call, type Family, invalid, MEBIBYTE, type Outcome, ownResource, type Plan, planned } from './family.ts';
import type { RunParts } from './run-parts.ts';
import { RESERVED_NAME } from './run-request.ts';
import { stateActions, withResult } from './state-actions.ts';
import { stateSettled, statesSettled } from './state-settled.ts';

/** What a state means for the run's token is told to `runs`, once Prefect has taken it. */
export function setState(runs?: RunParts): Family {
  return {
    operations: ['set_flow_run_state_flow_runs__id__set_state_post'],
    maxBytes: 8 * MEBIBYTE,
    plan(call) {
      const wanted = readState(call);
      if (typeof wanted === 'string') return invalid(wanted);
      const resource = ownResource(call);
      const asks = wanted.actions.map((action): Ask => ({ action, resource, facts: wanted.facts }));
      return planned({
        asks,
        intent: true,
        rewrite: () => (isObject(call.tree) ? withoutForeignInState(call.tree) : call.tree),
        settle: (answer, asker) => stateSettled(runs, { answer, asker, flowRunId: resource.id }),
      });
    },
  };
}

export function setStates(runs?: RunParts): Family {
  return {
    operations: ['bulk_set_flow_run_state_flow_runs_bulk_set_state_post'],
    maxBytes: MEBIBYTE,
    async plan(call, lookup) {
      const wanted = readState(call);
      if (typeof wanted === 'string') return invalid(wanted);
      const resolved = await resolve(call, FLOW_RUNS, lookup);
      if ('code' in resolved) return { ok: false, refusal: resolved };
      return planned({ ...planStates(call, wanted, resolved.ids), settle: (answer, asker) => statesSettled(runs, answer, asker) });
    },
  };
}

function planStates(call: Call, wanted: Wanted, ids: readonly string[]): Plan {
  const facts = { ...wanted.facts, count: ids.length };
  // Which runs they are is what decides.
  const own: Ask = { action: call.operation.action, resource: ownResource(call), facts, on: { kind: 'shared' } };
  const subjects = ids.length === 0 ? [null] : ids;
  const each = subjects.flatMap((id) =>
    wanted.actions.map((action): Ask => ({ action, resource: { type: 'FlowRun', id }, facts, ...(id === null && { on: { kind: 'shared' } as const }) })),
  );
  return {
    asks: [own, ...each],
    intent: true,
    rewrite: () => withoutForeignInState({ ...namingOnly(FLOW_RUNS, ids), state: wanted.state, force: wanted.facts.force }),
    outcome,
    refusal: itemRefusal(FLOW_RUNS, ids),
    without: (gone) =>
      planStates(
        call,
        wanted,
        ids.filter((id) => !gone.has(id)),
      ),
  };
}

interface Wanted {
  readonly state: JsonObject;
  readonly actions: readonly string[];
  readonly facts: { readonly state_type: string; readonly force: boolean; readonly state_name?: string };
}

/** A sentence for the client when the body cannot be decided on. */
function readState({ tree }: Call): Wanted | string {
  if (!isObject(tree)) return 'The body must be a JSON object.';
  const state = field(tree, 'state');
  const type = field(state, 'type');
  if (!isObject(state) || typeof type !== 'string') return 'state must be an object with a type.';
  const force = field(tree, 'force') ?? false;
  if (typeof force !== 'boolean') return 'force must be true or false.';
  const name = field(state, 'name');
  if (typeof name === 'string' && isReservedStateName(name)) return RESERVED_NAME;
  const actions = withResult(stateActions(type, force), field(state, 'data'));
  return { state, actions, facts: { state_type: type, force, ...(typeof name === 'string' && { state_name: name }) } };
}

function outcome(answer: UpstreamAnswer): Outcome {
  const results = answer.status < 300 ? objectsField(answerObject(answer), 'results') : [];
  const ids = results.map((result) => textField(result, 'flow_run_id')).filter((id) => id !== null);
  return { record: {}, items: itemRecords(FLOW_RUNS, ids) };
}
