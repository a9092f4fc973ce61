// The ledger's record of a way out of the gateway: one for each connection, from its decision to its end.
import type { Authorization } from '../../authorization/decide/decider.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { type BindingFacts, runBinding } from '../../contract/run-binding.ts';

export interface EgressVisit {
  readonly inputs: EdgeInputs;
  readonly startedMs: number;
  readonly userAgent: string | null;
  readonly claims: BindingFacts['claims'];
}

export interface EgressOutcome {
  /** Null: no decision was made. */
  readonly authorization: Authorization | null;
  /** Null: it was allowed. */
  readonly refusal: ReasonCode | null;
  readonly revision: number;
}

const NOT_IN_PATH = { flow_run_id: null, task_run_id: null, deployment_id: null };

/** `fields`: those that depend on the kind of connection. */
export function egressRecord(
  visit: EgressVisit,
  outcome: EgressOutcome,
  fields: Omit<Partial<NewRecord>, 'request_id'>,
): NewRecord & { readonly request_id: string } {
  const { inputs, startedMs, userAgent, claims } = visit;
  const { authorization, refusal, revision } = outcome;
  return {
    time: new Date(startedMs).toISOString(),
    request_id: inputs.requestId,
    ...(authorization !== null && identityFields(authorization)),
    source_ip: inputs.address,
    user_agent: userAgent,
    method: inputs.method,
    policies: [...new Set(authorization?.decisions.flatMap(({ policies }) => policies))],
    ...runBinding({ bound: NOT_IN_PATH, principal: authorization?.principal?.id ?? null, claims }),
    decision: refusal === null ? 'allow' : 'deny',
    reason: refusal ?? 'policy-permits',
    path_taken: 'egress',
    mode: 'enforce',
    revision,
    ...fields,
  };
}
