// Records that Prefect should show on a run's page: who started the run, and denials that concern it.
import { CONNECT_ACTION } from '../../contract/destination.ts';
import { type NewRecord, wasForwarded } from '../../contract/record.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';
import { CALL_ACTION } from '../../contract/service-call.ts';

// The routes that create a flow run, from research of Prefect 3.9.1: `create_flow_run`, its bulk form, and POST /flow_runs/.
const CREATION_PATH = /\/(?:create_flow_run(?:\/bulk)?|flow_runs)\/?$/;

/**
 * Only a verified binding counts: it comes from Prefect's answer. The first such record created the run; later ones found it by its key. A run cannot create
 * itself: its requests that created no run, or many, are bound to the run itself.
 */
export function createsRun(record: NewRecord): boolean {
  const { method, path, status, run_binding, principal, flow_run_id } = record;
  const succeeded = status != null && status >= 200 && status < 300;
  const isOther = flow_run_id == null || runOfPrincipal(principal) !== flow_run_id;
  return method === 'POST' && wasForwarded(record) && succeeded && run_binding === 'verified' && isOther && CREATION_PATH.test(path ?? '');
}

/**
 * A rejected change of a run by an authenticated principal, or a rejected call or connection of the run itself. A rejected read does not matter on the run's
 * page.
 */
export function refusesChange({ decision, mode, principal, run_binding, method, action }: NewRecord): boolean {
  if (decision !== 'deny' || mode === 'observe' || run_binding !== 'verified' || principal == null) return false;
  if (action === CALL_ACTION || action === CONNECT_ACTION) return true;
  return method !== 'GET' && method !== 'HEAD' && action?.endsWith('.read') !== true;
}

export function isNotable(record: NewRecord): boolean {
  return record.flow_run_id != null && (refusesChange(record) || createsRun(record));
}
