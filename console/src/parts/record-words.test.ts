import { describe, expect, it } from 'vitest';
import { actionOf, chainOf, objectOf, outcomeOf, reasonOf, withoutPrincipal } from './record-words.ts';

const NOTHING = { resource_type: null, resource_id: null, flow_run_id: null, deployment_id: null };

describe('a record in words', () => {
  it('separates the proven from the claimed', () => {
    expect(chainOf({ principal: 'local:root', on_behalf_of: ['asserted:alice'] })).toEqual([
      { name: 'local:root', isProven: true },
      { name: 'alice', isProven: false },
    ]);
    expect(chainOf({ principal: null, on_behalf_of: [] })).toEqual([]);
  });

  it('says what happened, also in observe mode', () => {
    const outcomes = [
      ['allow', 'enforce'],
      ['deny', 'enforce'],
      ['deny', 'observe'],
      [null, null],
    ] as const;
    expect(outcomes.map(([decision, mode]) => outcomeOf({ decision, mode }))).toEqual(['allow', 'deny', 'observed', 'event']);
    const reason = (reason: string | null, policies: string[] = []) => reasonOf({ reason, policies });
    expect([reason(null), reason('policy-permits', ['operator', 'night'])]).toEqual(['', 'role operator, policy night']);
    expect([reason('policy-default-deny'), reason('run-bound')]).toEqual(['no role permits it', 'run-bound']);
    expect([withoutPrincipal({ method: null }), withoutPrincipal({ method: 'GET' })]).toEqual(['Lictor', 'not logged in']);
  });

  it('names the object, else the run that the request is bound to', () => {
    expect(objectOf({ ...NOTHING, resource_type: 'WorkPool', resource_id: 'pool-a', flow_run_id: 'r' })).toEqual({ kind: 'work pool', id: 'pool-a' });
    expect(objectOf({ ...NOTHING, flow_run_id: 'r' })).toEqual({ kind: 'flow run', id: 'r' });
    expect(objectOf(NOTHING)).toBeUndefined();
    expect(actionOf({ action: null, service: null, method: 'GET', path: '/x' })).toBe('GET /x');
    expect(actionOf({ action: 'services.call', service: 'billing', method: 'POST', path: '/x' })).toBe('billing POST');
  });
});
