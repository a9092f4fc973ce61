import { describe, expect, it } from 'vitest';
import type { Facts } from '../../contract/decision.ts';
import { everywhere } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { atMostPolicies } from './at-most.ts';
import { createPolicyEngine } from './engine.ts';

const PERMIT =
  '@id("p") permit (principal, action == Action::"deployments.run", resource) when { context.facts has count && context.facts.count == 9007199254740993 };';
const TAGGED = '@id("t") permit (principal, action == Action::"deployments.read", resource) when { resource has tags && resource.tags.contains("a") };';
const UNLESS = '@id("u") forbid (principal, action, resource) unless { context.facts has parameter_values };';
const ADDRESS = '@id("a") forbid (principal, action == Action::"deployments.write", resource) when { context.address == "192.0.2.9" };';
const PLAIN = '@id("w") permit (principal, action in [Action::"deployments.write", Action::"flows.read"], resource);';

const POLICIES = { p: PERMIT, t: TAGGED, u: UNLESS, a: ADDRESS, w: PLAIN };
const engine = createPolicyEngine({ actions: collectActions(OPERATIONS), revision: 1, policies: POLICIES });
const principal = { id: 'a', kind: 'user', idp: null, roles: [], grants: everywhere([]), groups: [], attributes: {}, onBehalfOf: [] } as const;

function decided(action: string, atMost: boolean, facts: Facts = {}): string {
  const resource = { type: action === 'flows.read' ? 'Flow' : 'Deployment', id: 'd' } as const;
  return engine.evaluate({ principal, action, resource, context: { address: '192.0.2.9', carrier: 'session', facts }, atMost }).effect;
}

describe('before the body is read and the object looked at', () => {
  it('what either could say for a request counts as said, and what is certain stays', () => {
    expect(['deployments.run', 'deployments.read', 'flows.read'].map((action) => decided(action, true))).toEqual(['allow', 'allow', 'allow']);
    // By the address, and by no permit.
    expect(['deployments.write', 'deployments.delete', 'deployments.pause'].map((action) => decided(action, true))).toEqual(['deny', 'deny', 'deny']);
  });

  it('afterwards the whole is asked', () => {
    expect(['deployments.run', 'deployments.read', 'flows.read'].map((action) => decided(action, false))).toEqual(['deny', 'deny', 'deny']);
    expect(decided('flows.read', false, { parameter_values: [] })).toBe('allow');
    expect(decided('deployments.run', false, { parameter_values: [], count: 1 })).toBe('deny');
  });

  it('policies that ask for neither are the same set', () => {
    const policies = { a: ADDRESS, w: PLAIN };
    expect(atMostPolicies(policies)).toBe(policies);
    expect(Object.keys(atMostPolicies(POLICIES))).toEqual(['p', 't', 'a', 'w']);
  });
});

describe('values of parameters', () => {
  const asked = (facts: Facts) =>
    engine.evaluate({ principal, action: 'flows.read', resource: { type: 'Flow', id: 'f' }, context: { address: '', carrier: 'session', facts } });

  it('are only texts, and parameters without names are denied', () => {
    expect(asked({ parameter_names: ['n'], parameter_values: ['n=1'] })).toMatchObject({ effect: 'allow' });
    expect(asked({ parameter_names: ['?'], parameter_values: ['?=?'] })).toMatchObject({ effect: 'deny', reason: 'parameters-unreadable' });
    const none: readonly unknown[] = [['n', 1], 'n=1', { 0: 'n=1' }];
    for (const values of none)
      expect(asked({ parameter_values: values as readonly string[] })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
  });
});
