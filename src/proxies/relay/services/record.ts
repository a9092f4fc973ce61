// The fields of a service's socket in the ledger: those of a call.
import { REASONS } from '../../../contract/reasons.ts';
import { CALL_ACTION, routeId, type ServiceCall } from '../../../contract/service-call.ts';
import { type EgressOutcome, egressRecord } from '../../tunnels/record.ts';
import type { SocketVisit } from './visit.ts';

export interface SocketOutcome extends EgressOutcome {
  readonly call: ServiceCall;
  readonly basePath: string;
}

export function socketRecord(visit: SocketVisit, outcome: SocketOutcome) {
  const { call, refusal, basePath } = outcome;
  return egressRecord({ ...visit, userAgent: visit.headers['user-agent'] ?? null }, outcome, {
    path: `${basePath}${visit.inputs.path}`,
    action: CALL_ACTION,
    service: call.service,
    resource_type: call.route === '' ? 'Service' : 'ServiceRoute',
    resource_id: call.route === '' ? call.service : routeId(call),
    ...(refusal !== null && { status: REASONS[refusal].status }),
  });
}
