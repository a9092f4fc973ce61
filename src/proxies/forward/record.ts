// The ledger's record of a connection: one for each, from the decision to its end.

import type { Authorization } from '../../authorization/decide/decider.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
import type { Decision } from '../../contract/decision.ts';
import { CONNECT_ACTION } from '../../contract/destination.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import { runBinding } from '../../contract/run-binding.ts';
import { statusOf } from './refuse.ts';
import type { Visit } from './visit.ts';

export interface Outcome {
  /** Null: no decision was possible. */
  readonly authorization: Authorization | null;
  /** Null: it was allowed. */
  readonly refusal: ReasonCode | null;
  readonly revision: number;
}

const NOT_IN_PATH = { flow_run_id: null, task_run_id: null, deployment_id: null };

export function connectRecord(visit: Visit, { authorization, refusal, revision }: Outcome): NewRecord & { readonly request_id: string } {
  const { inputs, destination, userAgent, startedMs } = visit;
  const decisions: readonly Decision[] = authorization?.decisions ?? [];
  return {
    time: new Date(startedMs).toISOString(),
    request_id: inputs.requestId,
    ...(authorization !== null && identityFields(authorization)),
    source_ip: inputs.address,
    user_agent: userAgent,
    method: inputs.method,
    path: inputs.method === 'CONNECT' ? `${destination.host}:${destination.port}` : visit.path.replace(/\?.*$/s, ''),
    action: CONNECT_ACTION,
    resource_type: 'Host',
    resource_id: destination.host,
    policies: [...new Set(decisions.flatMap(({ policies }) => policies))],
    ...runBinding({ bound: NOT_IN_PATH, principal: authorization?.principal?.id ?? null, claims: {} }),
    decision: refusal === null ? 'allow' : 'deny',
    reason: refusal ?? 'policy-permits',
    ...(refusal !== null && { status: statusOf(refusal) }),
    path_taken: 'egress',
    mode: 'enforce',
    revision,
  };
}
