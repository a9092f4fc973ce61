// What one decision of the policies costs when nothing is remembered: the built-in policies, and many of one's own beside them.

import { rule } from '../src/authorization/decide/rule.ts';
import { createPolicyEngine, type PolicyEngine } from '../src/authorization/policy/engine.ts';
import { loadBuiltInPolicies, type PolicyTexts } from '../src/authorization/policy/policies.ts';
import { bareEntity } from '../src/contract/entity.ts';
import type { Principal } from '../src/contract/principal.ts';
import { everywhere, NOWHERE } from '../src/contract/scope.ts';
import { collectActions } from '../src/prefect/catalog/actions.ts';
import { OPERATIONS } from '../src/prefect/catalog/catalogue.ts';
import type { Entities } from '../src/prefect/client/entities.ts';
import { percentile } from './numbers.ts';
import type { DecisionCost } from './result.ts';

const DEPLOYMENTS = 1_000;
const WARM_UP = 200;

/** Each question is another one, of 1,000 deployments and as many addresses: no answer of a policy that reads either is remembered. */
export async function measureDecisions({ own, about, scoped }: Pick<DecisionCost, 'own' | 'about' | 'scoped'>): Promise<DecisionCost> {
  const actions = collectActions(OPERATIONS);
  const engine = createPolicyEngine({ actions, revision: 1, policies: { ...loadBuiltInPolicies(), ...ownPolicies(own, about) } });
  const who = scoped ? SCOPED : WHO;
  for (let number = 0; number < WARM_UP; number += 1) await timeOne(engine, who, `warm-${number}`);
  const times: number[] = [];
  for (let number = 0; number < DEPLOYMENTS; number += 1) times.push(await timeOne(engine, who, `deployment-${number}`));
  times.sort((a, b) => a - b);
  return { own, about, scoped, p50Ms: percentile(times, 50), p95Ms: percentile(times, 95) };
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

const SCOPED: Principal = { ...WHO, grants: [{ role: 'operator', scope: { ...NOWHERE, tags: ['team-a'] } }] };

/** What was looked at a moment ago. */
const INSIDE = bareEntity('Deployment', { tags: ['team-a', 'nightly'], workPool: 'pool-a', flow: 'etl' });
const ENTITIES: Entities = { find: async () => INSIDE, changed: async () => INSIDE, created: async () => INSIDE };

async function timeOne(policy: PolicyEngine, principal: Principal, deployment: string): Promise<number> {
  const context = { address: `2001:db8::${deployment}`, carrier: 'session', facts: { parameters: true } };
  const ask = { action: 'deployments.run', resource: { type: 'Deployment', id: deployment } } as const;
  const started = performance.now();
  const { decision } = await rule({ policy, entities: ENTITIES }, { principal, ask, context });
  const ms = performance.now() - started;
  if (decision.effect !== 'allow') throw new Error('the benchmark asks for something that is allowed');
  return ms;
}
