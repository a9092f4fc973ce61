// What one decision of the policies costs when nothing is remembered: the built-in policies, and many of one's own beside them.
import { collectActions } from '../catalog/actions.ts';
import { OPERATIONS } from '../catalog/catalogue.ts';
import type { Principal } from '../contract/principal.ts';
import { everywhere } from '../contract/scope.ts';
import { createPolicyEngine, type PolicyEngine } from '../policy/engine.ts';
import { loadBuiltInPolicies, type PolicyTexts } from '../policy/policies.ts';
import { percentile } from './numbers.ts';
import type { DecisionCost } from './result.ts';

const DEPLOYMENTS = 1_000;
const WARM_UP = 200;

/** Each question is another one: of 1,000 deployments, so that no answer is remembered. */
export function measureDecisions({ own, about }: Pick<DecisionCost, 'own' | 'about'>): DecisionCost {
  const actions = collectActions(OPERATIONS);
  const engine = createPolicyEngine({ actions, revision: 1, policies: { ...loadBuiltInPolicies(), ...ownPolicies(own, about) } });
  for (let number = 0; number < WARM_UP; number += 1) timeOne(engine, `warm-${number}`);
  const times = Array.from({ length: DEPLOYMENTS }, (_none, number) => timeOne(engine, `deployment-${number}`)).sort((a, b) => a - b);
  return { own, about, p50Ms: percentile(times, 50), p95Ms: percentile(times, 95) };
}

/** A fifth is about every such question; the others are about other people, actions and objects. */
function ownPolicies(count: number, about: DecisionCost['about']): PolicyTexts {
  const kinds = about === 'all' ? EVERY.slice(0, 1) : EVERY;
  const names = Array.from({ length: count }, (_none, number) => `own-${number}`);
  return Object.fromEntries(names.map((name, number) => [name, kinds[number % kinds.length]?.(name) ?? '']));
}

const EVERY = [
  (name: string) => `@id("${name}") forbid (principal, action in [Action::"steer", Action::"override"], resource) when { context.address == "${name}" };`,
  (name: string) => `@id("${name}") permit (principal in Role::"worker", action in Action::"steer", resource) when { context.address == "${name}" };`,
  (name: string) => `@id("${name}") permit (principal == Principal::"${name}@corp", action in Action::"steer", resource);`,
  (name: string) =>
    `@id("${name}") forbid (principal, action == Action::"variables.write", resource) unless { principal has idp && principal.idp == "${name}" };`,
  (name: string) => `@id("${name}") permit (principal in Role::"operator", action == Action::"deployments.run", resource == Deployment::"${name}");`,
];

const WHO: Principal = {
  id: 'bob@corp',
  kind: 'user',
  idp: 'corp',
  roles: ['operator'],
  grants: everywhere(['operator']),
  groups: [],
  attributes: {},
  onBehalfOf: [],
};

function timeOne(engine: PolicyEngine, deployment: string): number {
  const started = performance.now();
  const context = { address: '192.0.2.1', carrier: 'session', facts: { parameters: true } };
  const { effect } = engine.evaluate({ principal: WHO, action: 'deployments.run', resource: { type: 'Deployment', id: deployment }, context });
  const ms = performance.now() - started;
  if (effect !== 'allow') throw new Error('the benchmark asks for something that is allowed');
  return ms;
}
