// For tests: a state directory, and access lines in the edge's form.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import { type StatePaths, statePaths } from '../../config/state-dir.ts';
import { encodeFacts } from '../../contract/facts.ts';
import type { AccessFacts } from '../../contract/names.ts';
import { FLOOD_LIMITS } from './floods.ts';
import type { WorkerSetup } from './protocol.ts';

export const FLOW_RUN = '0199c0de-0000-7000-8000-000000000001';
export const END_MS = Date.parse('2026-03-01T12:00:00.500Z');

export function tempState(): { readonly paths: StatePaths; readonly remove: () => void } {
  const root = makeMemoryDir('lictor-ledger-');
  mkdirSync(join(root, 'log'));
  return { paths: statePaths(root, join(root, 'run')), remove: () => rmSync(root, { recursive: true, force: true }) };
}

export function facts(more: Partial<AccessFacts> = {}): string {
  const all: AccessFacts = {
    principal: 'alice@local',
    principal_kind: 'user',
    idp: 'local',
    credential_id: 'session:1',
    on_behalf_of: [],
    decision: 'allow',
    reason: 'policy-permits',
    policies: ['role:admin:read'],
    action: 'flow_runs.read',
    revision: 3,
    session_id: 's1',
    ...more,
  };
  return encodeFacts(all);
}

/** One line without its newline. */
export function accessLine(requestId: string, more: Readonly<Record<string, string | number>> = {}): string {
  return JSON.stringify({
    time: '2026-03-01T12:00:00+00:00',
    msec: (END_MS / 1000).toFixed(3),
    request_id: requestId,
    addr: '10.0.0.7',
    ua: 'prefect/3.9.1',
    method: 'GET',
    path: `/api/flow_runs/${FLOW_RUN}`,
    status: 200,
    bytes: 812,
    duration: '0.250',
    upstream: '0.200',
    operation: 'read_flow_run_flow_runs__id__get',
    taken: 'direct',
    facts: facts(),
    code: '',
    pid: 4711,
    ...more,
  });
}

/** The setup of a plain ledger's thread. */
export function workerSetup({ ledgerFile, ledgerKey, accessLog, edgeErrorLog }: StatePaths, session: string, startedAtMs: number): WorkerSetup {
  const files = { ledgerFile, ledgerKey, accessLog, edgeErrorLog };
  return { ...files, node: 'n1', basePath: '', session, startedAtMs, grants: null, rotate: null, beside: false, retentionMs: null, floods: FLOOD_LIMITS };
}
