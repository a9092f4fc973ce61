// set_state and bulk_set_state: one route for people who cancel and retry, and for the machines that run. The body says which.
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
import {
  type Call,
  type Handler,
  invalid,
  MEBIBYTE,
  type Outcome,
  ownAsk,
  ownResource,
  type Plan,
  planned,
  type Requester,
  refused,
  type Starts,
} from './handler.ts';
import type { RunTokenParts } from './parts.ts';
import { RESERVED_NAME } from './run-request.ts';
import { stateActions, withResult } from './state-actions.ts';

/** Once Prefect has accepted a state, it begins or ends the run's token. */
export function setState(runTokens?: RunTokenParts): Handler {
  return {
    operations: ['set_flow_run_state_flow_runs__id__set_state_post'],
    maxBytes: 8 * MEBIBYTE,
    plan(call) {
      const request = readState(call);
      if (typeof request === 'string') return invalid(request);
      const resource = ownResource(call);
      return planned({
        asks: request.actions.map((action) => ({ action, resource, facts: request.facts })),
        ...startsAgain(request, 1, (answer) => (hasChanged(answerObject(answer)) && resource.id !== null ? [resource.id] : [])),
        rewrite: () => (isObject(call.tree) ? withoutForeignInState(call.tree) : call.tree),
        async settle(answer, requester) {
          if (answer.status < 300) await applyState(runTokens, { requester, flowRunId: resource.id, result: answerObject(answer) });
          return answer;
        },
      });
    },
  };
}

export function setStates(runTokens?: RunTokenParts): Handler {
  return {
    operations: ['bulk_set_flow_run_state_flow_runs_bulk_set_state_post'],
    maxBytes: MEBIBYTE,
    async plan(call, lookup) {
      const request = readState(call);
      if (typeof request === 'string') return invalid(request);
      const resolved = await resolve(call, FLOW_RUNS, lookup);
      if ('code' in resolved) return refused(resolved);
      return planned({
        ...planStates(call, request, resolved.ids),
        async settle(answer, requester) {
          for (const result of resultsOf(answer)) await applyState(runTokens, { requester, flowRunId: textField(result, 'flow_run_id'), result });
          return answer;
        },
      });
    },
  };
}

function planStates(call: Call, request: StateRequest, ids: readonly string[]): Plan {
  const facts = { ...request.facts, count: ids.length };
  // The asks for the single runs decide.
  const own: Ask = { ...ownAsk(call), facts, on: { kind: 'shared' } };
  const each = (ids.length === 0 ? [null] : ids).flatMap((id) =>
    request.actions.map((action): Ask => ({ action, resource: { type: 'FlowRun', id }, facts, ...(id === null && { on: { kind: 'shared' } as const }) })),
  );
  return {
    asks: [own, ...each],
    ...startsAgain(request, ids.length, (answer) =>
      resultsOf(answer).flatMap((result) => (hasChanged(result) ? (textField(result, 'flow_run_id') ?? []) : [])),
    ),
    rewrite: () => withoutForeignInState({ ...namingOnly(FLOW_RUNS, ids), state: request.state, force: request.facts.force }),
    outcome,
    refusal: itemRefusal(FLOW_RUNS, ids),
    without(gone) {
      const rest = ids.filter((id) => !gone.has(id));
      return planStates(call, request, rest);
    },
  };
}

/** A run in the state SCHEDULED starts again. */
function startsAgain({ facts }: StateRequest, count: number, started: Starts['started']): Pick<Plan, 'starts'> {
  return facts.state_type === 'SCHEDULED' ? { starts: { count, areNew: false, started } } : {};
}

/** ACCEPT and REJECT: Prefect set the requested state, or another one. */
export function hasChanged(result: JsonObject | null): boolean {
  const status = textField(result, 'status');
  return status === 'ACCEPT' || status === 'REJECT';
}

interface StateRequest {
  readonly state: JsonObject;
  readonly actions: readonly string[];
  readonly facts: { readonly state_type: string; readonly force: boolean; readonly state_name?: string };
}

/** A sentence for the client when Lictor cannot decide on the body. */
function readState({ tree }: Call): StateRequest | string {
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

function resultsOf(answer: UpstreamAnswer): readonly JsonObject[] {
  return answer.status < 300 ? objectsField(answerObject(answer), 'results') : [];
}

function outcome(answer: UpstreamAnswer): Outcome {
  const ids = resultsOf(answer).map((result) => textField(result, 'flow_run_id'));
  const known = ids.filter((id) => id !== null);
  return { record: {}, items: itemRecords(FLOW_RUNS, known) };
}

interface StateResult {
  readonly requester: Requester;
  readonly flowRunId: string | null;
  readonly result: JsonObject | null;
}

/**
 * ACCEPT: Prefect set the requested state; REJECT: it set another state; WAIT and ABORT change nothing. A failure here changes no answer,
 * because Prefect has acted and the client would request the same state again. A run whose token did not begin is refused, so it ends visibly.
 */
async function applyState(runTokens: RunTokenParts | undefined, { requester, flowRunId, result }: StateResult): Promise<void> {
  const type = textField(field(result ?? undefined, 'state'), 'type');
  if (runTokens === undefined || flowRunId === null || type === null || !hasChanged(result)) return;
  try {
    await runTokens.desk.stateSet({ flowRunId, type, accepted: textField(result, 'status') === 'ACCEPT', by: requester });
  } catch (error) {
    runTokens.warn('the token of a run could not be updated for its new state', error);
  }
}
