import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectActions } from '../catalog/actions.ts';
import { OPERATIONS } from '../catalog/catalogue.ts';
import { everywhere } from '../contract/scope.ts';
import { createPolicyEngine } from './engine.ts';
import { createRelevance } from './relevant.ts';

const actions = collectActions(OPERATIONS);
const TEXTS = {
  all: '@id("all") permit (principal, action, resource) when { principal.kind == "user" };',
  me: '@id("me") forbid (principal == Principal::"alice", action, resource);',
  role: '@id("role") permit (principal in Role::"viewer", action in Action::"read", resource);',
  one: '@id("one") permit (principal, action == Action::"flows.read", resource == Flow::"f");',
  some: '@id("some") permit (principal, action in [Action::"flows.read", Action::"steer"], resource is Flow);',
  odd: '@id("odd") forbid (principal is Principal in Role::"operator", action, resource) when { resource == Flow::"g" };',
};

describe('the policies for a question', () => {
  const relevant = createRelevance(TEXTS, actions);
  const asked = { principal: 'alice', roles: ['viewer'], action: 'flows.read', resource: { type: 'Flow', id: 'f' } };

  it('are those whose scope can be true for it', () => {
    expect(relevant(asked)).toEqual(['all', 'me', 'role', 'one', 'some', 'odd']);
    expect(relevant({ ...asked, principal: 'bob', roles: [] })).toEqual(['all', 'one', 'some', 'odd']);
    expect(relevant({ ...asked, principal: 'bob', resource: { type: 'Flow', id: 'g' } })).toEqual(['all', 'role', 'some', 'odd']);
    expect(relevant({ ...asked, principal: 'bob', action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: 'r' } })).toEqual(['all', 'odd']);
  });

  it('decide exactly as all of them do', () => {
    const engine = createPolicyEngine({ actions, revision: 1, policies: TEXTS });
    fc.assert(
      fc.property(
        fc.record({
          id: fc.constantFrom('alice', 'bob'),
          kind: fc.constantFrom('user', 'service'),
          roles: fc.subarray(['viewer', 'operator', 'admin']),
          action: fc.constantFrom('flows.read', 'flows.delete'),
          flow: fc.constantFrom('f', 'g', null),
        }),
        ({ id, kind, roles, action, flow }) => {
          const principal = { id, kind, idp: null, roles, grants: everywhere(roles), groups: [], attributes: {}, onBehalfOf: [] };
          const context = { address: '', carrier: 'authorization', facts: {} };
          const decision = engine.evaluate({ principal, action, resource: { type: 'Flow', id: flow }, context });
          const permits = [
            kind === 'user',
            roles.includes('viewer') && action === 'flows.read',
            action === 'flows.read' && flow === 'f',
            action === 'flows.read',
          ];
          const forbids = [id === 'alice', roles.includes('operator') && flow === 'g'];
          expect(decision.effect).toBe(permits.some(Boolean) && !forbids.some(Boolean) ? 'allow' : 'deny');
        },
      ),
    );
  });
});
