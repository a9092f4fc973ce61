// The ledger's records of a socket: one at its decision, one when a later decision ends it.

import type { Authorization } from '../../authorization/decide/decider.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
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
  const reason = outcome.refusal ?? reasonOf(outcome.authorization);
  const allowed = reason === 'policy-permits';
  return {
    time: new Date(at.nowMs).toISOString(),
    ...requestFields(visit),
    ...(outcome.authorization !== null && identityFields(outcome.authorization)),
    ...whatFields(visit, outcome.authorization),
    ...runBinding({ bound: NOT_IN_PATH, principal: outcome.authorization?.principal?.id ?? null, claims: visit.claims ?? {} }),
    decision: allowed ? 'allow' : 'deny',
    reason,
    status: allowed ? 101 : REASONS[reason].status,
    path_taken: 'relay',
    mode: 'enforce',
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
  const decisions = authorization?.decisions ?? [];
  const decision = decisions[0];
  return {
    action: decision?.action ?? visit.operation?.action ?? null,
    resource_type: decision?.resource.type ?? visit.operation?.resource ?? null,
    resource_id: decision?.resource.id ?? visit.resourceId,
    policies: [...new Set(decisions.flatMap((each) => each.policies))],
  };
}

function reasonOf(authorization: Authorization | null): ReasonCode {
  if (authorization === null) return 'credential-missing';
  return authorization.ok ? 'policy-permits' : authorization.reason;
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
