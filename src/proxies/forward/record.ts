// The fields of a forward-proxy connection in the ledger.
import { CONNECT_ACTION } from '../../contract/destination.ts';
import { type EgressOutcome, egressRecord } from '../tunnels/record.ts';
import { statusOf } from './refuse.ts';
import type { Visit } from './visit.ts';

export function connectRecord(visit: Visit, outcome: EgressOutcome) {
  const { inputs, destination, path } = visit;
  return egressRecord({ ...visit, claims: {} }, outcome, {
    path: inputs.method === 'CONNECT' ? `${destination.host}:${destination.port}` : path.replace(/\?.*$/s, ''),
    action: CONNECT_ACTION,
    resource_type: 'Host',
    resource_id: destination.host,
    ...(outcome.refusal !== null && { status: statusOf(outcome.refusal) }),
  });
}
