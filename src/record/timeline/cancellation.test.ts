import { describe, expect, it } from 'vitest';
import type { NewRecord } from '../../contract/record.ts';
import { findCancellation } from './cancellation.ts';
import { at, RUN, record } from './timeline.fixture.ts';

const cancel = (seconds: number, more: Partial<NewRecord> = {}) =>
  record(seconds, {
    ...{ principal: 'bob@local', principal_kind: 'user', method: 'POST', path: `/api/flow_runs/${RUN}/set_state`, action: 'flow_runs.cancel', status: 201 },
    ...{ policies: ['operator'], ...more },
  });
const byWorker = { principal: 'token:worker', principal_kind: 'worker', policies: ['run-protocol'] } as const;

describe('who cancelled a run', () => {
  it('is who asked for it, with the policies, and not the worker or the run that reports the end', () => {
    const records = [cancel(1), cancel(2, byWorker), cancel(3, { ...byWorker, principal: `run:${RUN}`, principal_kind: 'run' })];
    expect(findCancellation(records)).toEqual({
      ...{ record_id: records[0]?.id, request_id: records[0]?.request_id, principal: 'bob@local', on_behalf_of: [], source_ip: '10.0.0.7', time: at(1) },
      ...{ decision: 'allow', reason: 'policy-permits', policies: ['operator'] },
    });
  });

  it('is the last one of several, also another run or a service', () => {
    expect(findCancellation([cancel(1), cancel(2, { principal: 'token:ci', principal_kind: 'service' })])?.principal).toBe('token:ci');
    const other = 'run:0199c0de-0000-7000-8000-000000000002';
    expect(findCancellation([cancel(1), cancel(2, { principal: other, principal_kind: 'run' })])?.principal).toBe(other);
  });

  it('is the worker where nobody else asked', () => {
    expect(findCancellation([cancel(1, byWorker)])?.principal).toBe('token:worker');
  });

  it('is one whom observe mode let through, and the denial stands there', () => {
    const observed = cancel(1, { decision: 'deny', mode: 'observe', reason: 'policy-default-deny', policies: [] });
    expect(findCancellation([observed])).toMatchObject({ principal: 'bob@local', decision: 'deny', reason: 'policy-default-deny' });
  });

  it.each([
    ['was denied', { decision: 'deny', status: 403, reason: 'policy-default-deny' }],
    ['Prefect rejected', { status: 404 }],
    ['has no answer', { status: null }],
    ['only claims the run', { run_binding: 'asserted' }],
  ] as const)('is nobody by a request that %s', (_what, more) => {
    expect(findCancellation([cancel(1, more)])).toBeNull();
  });
});
