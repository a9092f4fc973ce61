// The ledger's record of a socket of a service: one for each, from its decision to its end, with the fields of a call.

import type { Authorization } from '../../../authorization/decide/decider.ts';
import { identityFields } from '../../../authorization/decide/identity-fields.ts';
import { REASONS, type ReasonCode } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import { runBinding } from '../../../contract/run-binding.ts';
import { CALL_ACTION, routeId, type ServiceCall } from '../../../contract/service-call.ts';
import type { SocketVisit } from './visit.ts';

export interface SocketOutcome {
  readonly call: ServiceCall;
  /** Null: no decision was made. */
  readonly authorization: Authorization | null;
  /** Null: it was allowed. */
  readonly refusal: ReasonCode | null;
  readonly basePath: string;
  readonly revision: number;
}

const NOT_IN_PATH = { flow_run_id: null, task_run_id: null, deployment_id: null };

export function socketRecord(visit: SocketVisit, outcome: SocketOutcome): NewRecord & { readonly request_id: string } {
  const { inputs, headers, claims, startedMs } = visit;
  const { call, authorization, refusal, basePath, revision } = outcome;
  return {
    time: new Date(startedMs).toISOString(),
    request_id: inputs.requestId,
    ...(authorization !== null && identityFields(authorization)),
    source_ip: inputs.address,
    user_agent: headers['user-agent'] ?? null,
    method: inputs.method,
    path: `${basePath}${inputs.path}`,
    action: CALL_ACTION,
    service: call.service,
    resource_type: call.route === '' ? 'Service' : 'ServiceRoute',
    resource_id: call.route === '' ? call.service : routeId(call),
    policies: [...new Set(authorization?.decisions.flatMap(({ policies }) => policies))],
    ...runBinding({ bound: NOT_IN_PATH, principal: authorization?.principal?.id ?? null, claims }),
    decision: refusal === null ? 'allow' : 'deny',
    reason: refusal ?? 'policy-permits',
    ...(refusal !== null && { status: REASONS[refusal].status }),
    path_taken: 'egress',
    mode: 'enforce',
    revision,
  };
}
