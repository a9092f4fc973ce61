// For tests: short forms of records, states and a run.
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { completeRecord } from '../ledger/append.ts';
import type { PrefectRun, PrefectState } from './prefect-run.ts';

export const RUN = '0199c0de-0000-7000-8000-000000000001';
const ZERO_MS = Date.parse('2026-03-01T12:00:00.000Z');
let seq = 0;

export const at = (seconds: number): string => new Date(ZERO_MS + seconds * 1000).toISOString();

export function record(seconds: number, more: Partial<NewRecord> = {}): LedgerRecord {
  seq += 1;
  const request: NewRecord = {
    time: at(seconds),
    request_id: `r${seq}`,
    principal: 'token:worker',
    source_ip: '10.0.0.7',
    method: 'GET',
    path: `/api/flow_runs/${RUN}`,
    action: 'flow_runs.read',
    decision: 'allow',
    reason: 'policy-permits',
    status: 200,
    path_taken: 'direct',
    flow_run_id: RUN,
    run_binding: 'verified',
  };
  return { ...completeRecord({ ...request, ...more }, { id: `id-${seq}`, node: 'n1' }), seq, prev_hash: null, hash: null };
}

/** Alice starts the run. */
export function creation(seconds: number, more: Partial<NewRecord> = {}): LedgerRecord {
  return record(seconds, {
    request_id: 'creation',
    principal: 'alice@local',
    principal_kind: 'user',
    source_ip: '192.0.2.17',
    method: 'POST',
    path: '/api/deployments/0199c0de-0000-7000-8000-0000000000dd/create_flow_run',
    action: 'deployments.run',
    status: 201,
    path_taken: 'mediated',
    ...more,
  });
}

export function state(seconds: number, name: string, message: string | null = null): PrefectState {
  return { id: `state-${name}`, type: name.toUpperCase(), name, message, timestamp: at(seconds) };
}

export function prefectRun(labels: Readonly<Record<string, string>> = {}): PrefectRun {
  return {
    id: RUN,
    name: 'fuzzy-otter',
    state: 'Completed',
    created: at(0),
    deploymentId: null,
    autoScheduled: false,
    createdBy: null,
    parentTaskRunId: null,
    labels,
  };
}
