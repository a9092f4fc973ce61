// The ledger's records of a socket: one at its decision, one when a later decision ends it.

import type { Authorization } from '../../authorization/decide/decider.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
import { decisionFields, enforced, type Said } from '../../authorization/decide/observe.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Operation } from '../../contract/operation.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { type BindingFacts, runBinding } from '../../contract/run-binding.ts';

export interface Visit {
  readonly inputs: EdgeInputs;
  readonly userAgent: string;
  /** Undefined if the route is not in the catalogue. */
  readonly operation: Operation | undefined;
  readonly resourceId: string | null;
  /** The client's claims, unchecked. */
  readonly claims?: BindingFacts['claims'];
}

/** `refusal` overrides the decider's answer. `authorization` null: no decision was made. */
export interface Outcome {
  readonly authorization: Authorization | null;
  readonly refusal: ReasonCode | null;
}

/** No socket's path names a run. */
const NOT_IN_PATH = { flow_run_id: null, task_run_id: null, deployment_id: null };

/** Statuses are HTTP's: 101, or that of the refusal, even if it was sent in a close frame. */
export function socketRecord(visit: Visit, outcome: Outcome, at: { readonly nowMs: number; readonly revision: number }): NewRecord {
  const { authorization, refusal } = outcome;
  const said: Said =
    refusal !== null || authorization === null ? { decision: 'deny', reason: refusal ?? 'credential-missing', mode: 'enforce' } : decisionFields(authorization);
  const isOpen = said.decision === 'allow' || said.mode === 'observe';
  return {
    time: new Date(at.nowMs).toISOString(),
    ...requestFields(visit),
    ...(outcome.authorization !== null && identityFields(outcome.authorization)),
    ...whatFields(visit, outcome.authorization),
    ...runBinding({ bound: NOT_IN_PATH, principal: outcome.authorization?.principal?.id ?? null, claims: visit.claims ?? {} }),
    ...said,
    status: isOpen ? 101 : REASONS[said.reason].status,
    path_taken: 'relay',
    revision: at.revision,
  };
}

function requestFields({ inputs, userAgent }: Visit): Partial<NewRecord> {
  return {
    request_id: orNull(inputs.requestId),
    source_ip: orNull(inputs.address),
    user_agent: orNull(userAgent),
    method: orNull(inputs.method) ?? 'GET',
    path: inputs.path,
  };
}

function whatFields(visit: Visit, authorization: Authorization | null): Partial<NewRecord> {
  const decisions = authorization === null ? [] : enforced(authorization).decisions;
  const decision = decisions[0];
  return {
    action: decision?.action ?? visit.operation?.action ?? null,
    resource_type: decision?.resource.type ?? visit.operation?.resource ?? null,
    resource_id: decision?.resource.id ?? visit.resourceId,
    policies: [...new Set(decisions.flatMap((each) => each.policies))],
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
