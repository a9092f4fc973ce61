// Which record says that a run began: nobody forges one by what his own requests are.
import { describe, expect, it } from 'vitest';
import type { NewRecord } from '../../contract/record.ts';
import { runPrincipalId } from '../../contract/run-token.ts';
import { createsRun, isNotable } from './notable.ts';

const RUN = '11111111-1111-4111-8111-111111111111';
const CHILD = '22222222-2222-4222-8222-222222222222';

const creation: NewRecord = {
  time: '2026-03-01T12:00:00.000Z',
  method: 'POST',
  path: '/api/deployments/d/create_flow_run',
  principal: 'alice@local',
  decision: 'allow',
  status: 201,
  run_binding: 'verified',
  flow_run_id: CHILD,
};

describe('a record of a creation', () => {
  it('is that of a person, and of a run that started another one', () => {
    for (const principal of ['alice@local', runPrincipalId(RUN)]) expect(createsRun({ ...creation, principal })).toBe(true);
    for (const path of ['/api/flow_runs/', '/api/deployments/d/create_flow_run/bulk']) expect(createsRun({ ...creation, path })).toBe(true);
  });

  it.each([
    ['a creation of many, or one that an earlier run answered', {}],
    ['the same by the other route', { path: '/api/flow_runs/', status: 200 }],
    ['a call of a service with such a path', { path: '/.lictor/svc/billing/flow_runs', status: 200 }],
  ])('of a run is none about itself: %s', (_what, changes) => {
    const own = { ...creation, principal: runPrincipalId(RUN), flow_run_id: RUN, ...changes };
    expect([createsRun(own), isNotable(own)]).toEqual([false, false]);
  });

  it.each([
    ['a claim', { run_binding: 'asserted' }],
    ['a refusal', { decision: 'deny' }],
    ['a failure', { status: 409 }],
    ['a look', { method: 'GET' }],
  ] as const)('is not %s', (_what, changes) => {
    expect(createsRun({ ...creation, ...changes })).toBe(false);
  });
});
