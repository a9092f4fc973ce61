// The binding of a record to a flow run: proven by path or token, or only claimed. The same for every path of a request.
import type { LedgerRecord } from './record.ts';
import { runOfPrincipal } from './run-token.ts';

export type RunBinding = Pick<LedgerRecord, 'flow_run_id' | 'task_run_id' | 'deployment_id' | 'run_binding'>;

export interface BindingFacts {
  /** The run in the path. */
  readonly bound: Omit<RunBinding, 'run_binding'>;
  /** Id of the authenticated principal. */
  readonly principal: string | null;
  /** The claims of the client in headers, unchecked. */
  readonly claims: { readonly flowRun?: unknown; readonly deployment?: unknown };
}

/** The path names the run that a request is about; a run token names the run that sends it. A claim is only evidence, and counts only without them. */
export function runBinding({ bound, principal, claims }: BindingFacts): RunBinding {
  const run = bound.flow_run_id ?? runOfPrincipal(principal);
  const isProven = run !== null || bound.task_run_id !== null || bound.deployment_id !== null;
  if (isProven) return { ...bound, flow_run_id: run, run_binding: 'verified' };
  const claimed = { flow_run_id: uuid(claims.flowRun), task_run_id: null, deployment_id: uuid(claims.deployment) };
  return { ...claimed, run_binding: claimed.flow_run_id === null && claimed.deployment_id === null ? 'none' : 'asserted' };
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function uuid(value: unknown): string | null {
  return typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : null;
}
