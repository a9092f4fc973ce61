import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareEntity } from '../../contract/entity.ts';
import { everywhere } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createEngineOfChecked, createPolicyEngine, validatePolicies } from './engine.ts';
import { createRelevance } from './relevant.ts';
import { renderSchema } from './schema.ts';

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
  const { idsFor, keyOf } = createRelevance(TEXTS, actions);
  const asked = { principal: 'alice', roles: ['viewer'], action: 'flows.read', resource: { type: 'Flow', id: 'f' } };

  it('are those whose scope can be true for it', () => {
    expect(idsFor(asked)).toEqual(['all', 'me', 'role', 'one', 'some', 'odd']);
    expect(idsFor({ ...asked, principal: 'bob', roles: [] })).toEqual(['all', 'one', 'some', 'odd']);
    expect(idsFor({ ...asked, principal: 'bob', resource: { type: 'Flow', id: 'g' } })).toEqual(['all', 'role', 'some', 'odd']);
    expect(idsFor({ ...asked, principal: 'bob', action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: 'r' } })).toEqual(['all', 'odd']);
  });

  it('are the same for questions that differ in nothing that a policy names', () => {
    expect(keyOf({ ...asked, principal: 'bob', resource: { type: 'Flow', id: 'h' } })).toBe(
      keyOf({ ...asked, principal: 'carol', resource: { type: 'Flow', id: 'i' } }),
    );
    const others = [
      { principal: 'bob' },
      { roles: [] },
      { action: 'flows.delete' },
      { resource: { type: 'FlowRun', id: 'f' } },
      { resource: { type: 'Flow', id: '' } },
    ];
    for (const other of others) expect(keyOf({ ...asked, ...other })).not.toBe(keyOf(asked));
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

/** Scopes of every form, and conditions beside them. */
const SCOPES = [
  'principal, action, resource',
  'principal == Principal::"alice", action, resource',
  'principal == Principal::"bob", action in Action::"read", resource is Flow',
  'principal in Role::"viewer", action in [Action::"flows.read", Action::"steer"], resource',
  'principal in Principal::"alice", action == Action::"flows.read", resource',
  'principal is Principal, action in [Action::"flows.read"], resource in Flow::"f"',
  'principal is Principal in Role::"operator", action in Action::"configure", resource == Flow::"f"',
  'principal, action == Action::"flows.delete", resource is Flow in Flow::"g"',
  'principal, action == Action::"flow_runs.read", resource is FlowRun',
  'principal, action in [Action::"flows.read", Action::"flow_runs.read"], resource == Flow::""',
];
const CONDITIONS = [
  '',
  'when { principal.kind == "user" }',
  'unless { principal has idp && principal.idp == "corp" }',
  'when { resource == Flow::"f" }',
  'when { action in Action::"read" }',
  'when { context.carrier == "session" && context.facts has force && context.facts.force }',
  'when { resource has tags && resource.tags.contains("a") }',
  'when { context.facts has count && context.facts.count + 9223372036854775807 > 0 }',
  'when { Action::"flow_runs.cancel" in Action::"steer" && !(Action::"flow_runs.cancel" in Action::"read") }',
  'unless { (if principal.kind == "user" then Action::"flows.read" else Action::"flows.delete") in [Action::"read"] }',
  'when { Flow::"f" has tags }',
];

interface Question {
  readonly id: string;
  readonly kind: 'user' | 'service';
  readonly idp: string | null;
  readonly roles: readonly string[];
  readonly action: 'flows.read' | 'flows.delete';
  readonly flow: string | null;
  readonly carrier: string;
  readonly facts: Readonly<Record<string, boolean | number>>;
  readonly tags: string[] | null;
}

const question: fc.Arbitrary<Question> = fc.record({
  id: fc.constantFrom('alice', 'bob', 'carol'),
  kind: fc.constantFrom('user', 'service'),
  idp: fc.constantFrom('corp', null),
  roles: fc.subarray(['viewer', 'operator', 'admin']),
  action: fc.constantFrom('flows.read', 'flows.delete'),
  flow: fc.constantFrom('f', 'g', 'h', null),
  carrier: fc.constantFrom('session', 'authorization'),
  facts: fc.constantFrom({}, { force: true }, { force: false }, { count: 1 }),
  tags: fc.constantFrom(null, [], ['a']),
});

/** Cedar itself, given all policies as they are written, the schema, and every entity. */
function byCedar({ id, kind, idp, roles, action, flow, carrier, facts, tags }: Question) {
  const [uid, resource] = [
    { type: 'Principal', id },
    { type: 'Flow', id: flow ?? '' },
  ];
  const answer = statefulIsAuthorized({
    principal: uid,
    action: { type: 'Action', id: action },
    resource,
    context: { address: '', carrier, facts },
    preparsedSchemaName: 'as-written',
    entities: [
      { uid, attrs: { kind, ...(idp !== null && { idp }) }, parents: roles.map((role) => ({ type: 'Role', id: role })) },
      ...(tags === null ? [] : [{ uid: resource, attrs: { tags, labels: [] }, parents: [] }]),
    ],
    preparsedPolicySetId: 'as-written',
  });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  const { decision, diagnostics } = answer.response;
  return diagnostics.errors.length > 0 ? { effect: 'deny', policies: [] } : { effect: decision, policies: diagnostics.reason.toSorted() };
}

it('says of random policies and questions what Cedar says of all policies as they are written', () => {
  const one = fc.record({ effect: fc.constantFrom('permit', 'forbid'), scope: fc.constantFrom(...SCOPES), condition: fc.constantFrom(...CONDITIONS) });
  preparseSchema('as-written', renderSchema(actions));
  const all = SCOPES.flatMap((scope) => CONDITIONS.map((condition) => [`${scope} ${condition}`, `permit (${scope}) ${condition};`]));
  expect(validatePolicies(actions, Object.fromEntries(all)).errors).toEqual([]);
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), fc.array(question, { minLength: 30, maxLength: 60 }), (texts, questions) => {
      const policies = Object.fromEntries(texts.map(({ effect, scope, condition }, n) => [`p${n}`, `@id("p${n}") ${effect} (${scope}) ${condition};`]));
      preparsePolicySet('as-written', { staticPolicies: policies });
      const engine = createEngineOfChecked({ actions, revision: 1, policies });
      for (const asked of questions) {
        const { id, kind, idp, roles, action, flow, carrier, facts, tags } = asked;
        const principal = { id, kind, idp, roles, grants: everywhere(roles), groups: [], attributes: {}, onBehalfOf: [] };
        const entity = tags === null ? null : bareEntity('Flow', { tags });
        const decision = engine.evaluate({ principal, action, resource: { type: 'Flow', id: flow }, context: { address: '', carrier, facts }, entity });
        expect({ effect: decision.effect, policies: decision.policies.toSorted() }).toEqual(byCedar(asked));
      }
    }),
    { numRuns: 15 },
  );
});
