// The record of a mediated request: what is known before it is forwarded, and what its answer adds.
import type { Decision } from '../contract/decision.ts';
import type { Operation } from '../contract/operation.ts';
import type { NewRecord } from '../contract/record.ts';
import type { Authorization } from '../decide/decider.ts';
import { whoFields } from '../decide/who.ts';
import type { MediatedRequest } from './call.ts';

export interface Subject {
  readonly request: MediatedRequest;
  readonly operation: Operation | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly startedMs: number;
}

export type MediatedRecord = NewRecord & { readonly request_id: string };

/** Everything that is known when it has been decided. A path id is the run's own: the binding is verified. */
export function decidedRecord(subject: Subject, authorization: Authorization, reason: string): MediatedRecord {
  const { request, operation, startedMs } = subject;
  const decisive = decisiveOf(authorization.decisions);
  return {
    time: new Date(startedMs).toISOString(),
    request_id: request.inputs.requestId,
    ...whoFields(authorization),
    source_ip: request.inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.inputs.method,
    path: request.inputs.path,
    action: decisive?.action ?? operation?.action ?? null,
    resource_type: decisive?.resource.type ?? operation?.resource ?? null,
    resource_id: decisive === undefined ? param(subject, operation?.idParam) : decisive.resource.id,
    decision: authorization.ok && reason === 'policy-permits' ? 'allow' : 'deny',
    reason,
    policies: [...new Set(authorization.decisions.flatMap((decision) => decision.policies))],
    path_taken: 'mediated',
    ...bindings(subject),
    mode: 'enforce',
    revision: decisive?.revision ?? null,
  };
}

/** A record of its own for each of many objects: one record can name one only. */
export function itemRecord(whole: NewRecord, { item, number }: { readonly item: Partial<NewRecord>; readonly number: number }): NewRecord {
  return { ...whole, ...item, time: whole.time, request_id: `${whole.request_id ?? ''}.${number}` };
}

/** The one that refused; else the first, which every family makes its main action. */
function decisiveOf(decisions: readonly Decision[]): Decision | undefined {
  return decisions.find((decision) => decision.enforced === 'deny') ?? decisions[0];
}

function bindings(subject: Subject) {
  const { operation } = subject;
  const flowRun = param(subject, operation?.flowRunParam);
  const taskRun = param(subject, operation?.taskRunParam);
  return {
    flow_run_id: flowRun,
    task_run_id: taskRun,
    deployment_id: param(subject, operation?.deploymentParam),
    run_binding: flowRun === null && taskRun === null ? ('none' as const) : ('verified' as const),
  };
}

function param(subject: Subject, name: string | null | undefined): string | null {
  return name === null || name === undefined ? null : (subject.params[name] ?? null);
}
