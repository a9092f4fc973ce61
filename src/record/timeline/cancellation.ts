// Who cancelled a run, and whether the policies allowed it: by the record of that request. It stays true when the run goes on later.
import { type LedgerRecord, wasForwarded } from '../../contract/record.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';

export type Cancellation = Pick<LedgerRecord, 'request_id' | 'principal' | 'on_behalf_of' | 'source_ip' | 'time' | 'decision' | 'reason' | 'policies'> & {
  readonly record_id: string;
};

/** `records`: of the run, with the action `flow_runs.cancel`, the oldest first. Null: none of them took effect. */
export function findCancellation(records: readonly LedgerRecord[]): Cancellation | null {
  const done = records.filter(tookEffect);
  const found = done.findLast(asks) ?? done.at(-1);
  if (found === undefined) return null;
  const { id, request_id, principal, on_behalf_of, source_ip, time, decision, reason, policies } = found;
  return { record_id: id, request_id, principal, on_behalf_of, source_ip, time, decision, reason, policies };
}

/** Any client can claim a run. */
function tookEffect(record: LedgerRecord): boolean {
  const { status, run_binding } = record;
  return wasForwarded(record) && run_binding === 'verified' && status !== null && status >= 200 && status < 300;
}

/** The worker and the run itself report the end of what another one asked for. */
function asks({ principal, principal_kind, flow_run_id }: LedgerRecord): boolean {
  return principal_kind !== 'worker' && runOfPrincipal(principal) !== flow_run_id;
}
