// The record of a mediated request: the decision, and later what Prefect's answer adds.
import type { Decision } from '../../contract/decision.ts';
import { CLAIM } from '../../contract/names.ts';
import type { Operation } from '../../contract/operation.ts';
import type { NewRecord } from '../../contract/record.ts';
import { runBinding } from '../../contract/run-binding.ts';
import type { Authorization } from '../decide/decider.ts';
import { identityFields } from '../decide/identity-fields.ts';
import { enforced, type Said } from '../decide/observe.ts';
import type { MediatedRequest } from './call.ts';

export interface Subject {
  readonly request: MediatedRequest;
  readonly operation: Operation | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly startedMs: number;
}

export type MediatedRecord = NewRecord & { readonly request_id: string };

/** The record after the decision. An id in the path is verified as the run's own. */
export function decidedRecord(subject: Subject, authorization: Authorization, said: Said): MediatedRecord {
  const { request, operation, startedMs } = subject;
  const { decisions } = enforced(authorization);
  const decisive = decisiveOf(decisions);
  return {
    time: new Date(startedMs).toISOString(),
    request_id: request.inputs.requestId,
    ...identityFields(authorization),
    source_ip: request.inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.inputs.method,
    path: request.inputs.path,
    action: decisive?.action ?? operation?.action ?? null,
    resource_type: decisive?.resource.type ?? operation?.resource ?? null,
    resource_id: decisive === undefined ? param(subject, operation?.idParam) : decisive.resource.id,
    ...said,
    policies: [...new Set(decisions.flatMap((decision) => decision.policies))],
    path_taken: 'mediated',
    tool: request.tool ?? null,
    ...bindings(subject, authorization.principal?.id ?? null),
    revision: decisive?.revision ?? null,
  };
}

/** A separate record for one of many objects, since a record can name only one. */
export function itemRecord(whole: NewRecord, { item, number }: { readonly item: Partial<NewRecord>; readonly number: number }): NewRecord {
  return { ...whole, ...item, time: whole.time, request_id: `${whole.request_id ?? ''}.${number}` };
}

/** The decision that refused the request, or else the first one, which is every handler's main action. */
function decisiveOf(decisions: readonly Decision[]): Decision | undefined {
  return decisions.find((decision) => decision.enforced === 'deny') ?? decisions[0];
}

function bindings(subject: Subject, principal: string | null) {
  const { operation, request } = subject;
  const { [CLAIM.flowRun]: flowRun, [CLAIM.deployment]: deployment } = request.headers;
  const bound = {
    flow_run_id: param(subject, operation?.flowRunParam),
    task_run_id: param(subject, operation?.taskRunParam),
    deployment_id: param(subject, operation?.deploymentParam),
  };
  const binding = runBinding({ bound, principal, claims: { flowRun, deployment } });
  // A run that the request creates from a deployment is another run than the sender's.
  return binding.flow_run_id === null && bound.task_run_id === null && bound.deployment_id !== null ? { ...bound, run_binding: 'none' as const } : binding;
}

function param(subject: Subject, name: string | null | undefined): string | null {
  return name === null || name === undefined ? null : (subject.params[name] ?? null);
}
