// For tests: short forms of rows.
import { type Row, type Timed, timed } from './row.ts';

export const RUN = '0199c0de-0000-7000-8000-000000000001';
const ZERO_MS = Date.parse('2026-03-01T12:00:00.000Z');

export const at = (seconds: number): number => ZERO_MS + seconds * 1000;

let made = 0;

export function row(seconds: number, more: Partial<Row> = {}): Row {
  made += 1;
  return {
    ...{ key: `record:${made}`, kind: 'request', lane: 'request', time: new Date(at(seconds)).toISOString(), duration_ms: null, depth: 0 },
    ...{ flow_run_id: RUN, record_id: `id-${made}`, binding: 'verified', principal: 'token:worker', on_behalf_of: [], what: 'flow_runs.read' },
    ...{ state: null, state_type: null, status: 200, decision: 'allow', reason: 'policy-permits', observed: false, attempts: null },
    ...{ message: null, object_id: null, routine: false },
    ...more,
  };
}

export function task(seconds: number, ms: number | null, more: Partial<Row> = {}): Row {
  const state_type = ms === null ? 'RUNNING' : 'COMPLETED';
  return row(seconds, { kind: 'task', lane: 'task', duration_ms: ms, state_type, record_id: null, binding: null, what: 'work', ...more });
}

export const times = (...rows: readonly Row[]): readonly Timed[] => rows.map(timed);
