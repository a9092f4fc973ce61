// Which records people should find on a run's page in Prefect: who started it, and what was refused on it.
import { CONNECT_ACTION } from '../../contract/destination.ts';
import type { NewRecord } from '../../contract/record.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';
import { CALL_ACTION } from '../../contract/service-call.ts';

// The routes on which a flow run is created: research of Prefect 3.9.1, `create_flow_run`, its bulk form, and POST /flow_runs/.
const CREATION_PATH = /\/(?:create_flow_run(?:\/bulk)?|flow_runs)\/?$/;

/**
 * Only a verified binding counts: it was read from Prefect's own answer. The first one created the run, later ones found it by its key. A run's own request
 * that made no run, or many, is bound to that run itself, which nobody creates from within.
 */
export function createsRun({ method, path, decision, status, run_binding, principal, flow_run_id }: NewRecord): boolean {
  const succeeded = status != null && status >= 200 && status < 300;
  const isOther = flow_run_id == null || runOfPrincipal(principal) !== flow_run_id;
  return method === 'POST' && decision === 'allow' && succeeded && run_binding === 'verified' && isOther && CREATION_PATH.test(path ?? '');
}

/** A change of a run that somebody known was refused, or a call of a service or a connection that the run itself was. Looking at the run is no decision that matters on its page. */
export function refusesChange({ decision, principal, run_binding, method, action }: NewRecord): boolean {
  if (decision !== 'deny' || run_binding !== 'verified' || principal == null) return false;
  if (action === CALL_ACTION || action === CONNECT_ACTION) return true;
  return method !== 'GET' && method !== 'HEAD' && action?.endsWith('.read') !== true;
}

export function isNotable(record: NewRecord): boolean {
  return record.flow_run_id != null && (refusesChange(record) || createsRun(record));
}
