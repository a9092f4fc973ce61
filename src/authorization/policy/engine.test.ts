import { describe, expect, it } from 'vitest';
import type { Decision, Resource } from '../../contract/decision.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { sharedEngine } from './engine.fixture.ts';
import { createPolicyEngine, createPolicyEngineInSteps, validatePolicies } from './engine.ts';
import { loadBuiltInPolicies, namePolicies, uniqueByName } from './policies.ts';

const actions = collectActions(OPERATIONS);

function principal(...roles: readonly string[]): Principal {
  return { id: 'alice@local', kind: 'user', idp: 'local', roles, grants: everywhere(roles), groups: [], attributes: {}, onBehalfOf: [] };
}

function engineOf(text: string, onError?: (detail: string) => void) {
  const policies = uniqueByName(namePolicies(text, 'test'));
  return createPolicyEngine({ actions, revision: 7, policies, ...(onError !== undefined && { onError }) });
}

const FLOW: Resource = { type: 'Flow', id: 'f' };
const RUN: Resource = { type: 'FlowRun', id: 'r' };

interface Asked {
  readonly who?: Principal;
  readonly action?: string;
  readonly resource?: Resource;
  readonly facts?: Readonly<Record<string, boolean | number | string>>;
}

function ask(engine: ReturnType<typeof engineOf>, { who = principal('viewer'), action = 'flows.read', resource = FLOW, facts = {} }: Asked): Decision {
  return engine.evaluate({ principal: who, action, resource, context: { address: '192.0.2.1', carrier: 'authorization', facts } });
}

describe('the built-in policies', () => {
  it('fit the schema without a warning', () => {
    expect(validatePolicies(actions, loadBuiltInPolicies())).toEqual({ errors: [], warnings: [], other: [] });
  });

  it('forbid nothing', () => {
    for (const text of Object.values(loadBuiltInPolicies())) expect(text).not.toMatch(/^\s*forbid/m);
  });

  it('fail when they name an action that the catalogue lacks', () => {
    const without = actions.filter(({ name }) => name !== 'logs.write');
    expect(() => createPolicyEngine({ actions: without, revision: 1 })).toThrow('The policies cannot be used.');
  });
});

describe('a decision', () => {
  const engine = sharedEngine({ actions, revision: 7 });

  it('names the policy that permits, and what was asked', () => {
    expect(ask(engine, {})).toEqual({
      effect: 'allow',
      enforced: 'allow',
      reason: 'policy-permits',
      action: 'flows.read',
      resource: FLOW,
      policies: ['viewer'],
      revision: 7,
    });
  });

  it('names every policy that permits, for a principal with several roles', () => {
    expect([...ask(engine, { who: principal('viewer', 'operator') }).policies].sort()).toEqual(['operator', 'viewer']);
  });

  it('is a default deny without a policy', () => {
    expect(ask(engine, { action: 'flows.delete' })).toMatchObject({ effect: 'deny', enforced: 'deny', reason: 'policy-default-deny', policies: [] });
  });

  it.each([
    ['an action that is not in the catalogue', { action: 'flows.explode' }],
    ['a group in place of an action', { action: 'read' }],
    ['a resource type that the action is not for', { resource: { type: 'Variable', id: 'x' } as const }],
    ['a prototype name', { action: 'constructor' }],
  ])('denies %s to an admin too', (_what, asked) => {
    expect(ask(engine, { who: principal('admin') })).toMatchObject({ effect: 'allow' });
    expect(ask(engine, { who: principal('admin'), ...asked })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
  });

  it.each(['', 'Admin', 'admin ', 'superuser', 'admin"', 'viewer-group'])('grants the unknown role %j nothing but the baseline', (role) => {
    const who = principal(role);
    for (const { name, group, resources } of actions) {
      const type = resources[0] ?? 'System';
      expect(ask(engine, { who, action: name, resource: { type, id: null } }).effect, name).toBe(group === 'baseline' ? 'allow' : 'deny');
    }
  });

  it('takes ids and names of any letters', () => {
    const who = { ...principal('viewer'), id: 'ali"ce\\\u0000@local' };
    expect(ask(engine, { who, resource: { type: 'Flow', id: '"}]' } })).toMatchObject({ effect: 'allow' });
    expect(ask(engine, { who: { ...who, grants: [] }, resource: { type: 'Flow', id: '"}]' } })).toMatchObject({ effect: 'deny' });
  });
});

describe('policies of other texts', () => {
  it('forbid wins over permit and is named', () => {
    const engine = engineOf('@id("p") permit (principal, action, resource); @id("f") forbid (principal, action == Action::"flows.read", resource);');
    expect(ask(engine, {})).toMatchObject({ effect: 'deny', reason: 'policy-forbids', policies: ['f'] });
    expect(ask(engine, { action: 'flows.delete' })).toMatchObject({ effect: 'allow', policies: ['p'] });
  });

  it('see the facts of the body, the carrier, and one object', () => {
    const engine = engineOf(`
      @id("no-force") forbid (principal, action, resource) when { context.facts has force && context.facts.force };
      @id("one") permit (principal, action == Action::"flow_runs.cancel", resource == FlowRun::"r") when { context.carrier == "authorization" };
    `);
    const action = 'flow_runs.cancel';
    expect(ask(engine, { action, resource: RUN, facts: { force: false } })).toMatchObject({ effect: 'allow', policies: ['one'] });
    expect(ask(engine, { action, resource: RUN, facts: { force: true } })).toMatchObject({ effect: 'deny', policies: ['no-force'] });
    expect(ask(engine, { action, resource: { type: 'FlowRun', id: null } })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
  });

  it('never see a fact that is not declared', () => {
    const engine = engineOf('@id("p") permit (principal, action, resource);');
    expect(ask(engine, { facts: { anything: 'goes' } })).toMatchObject({ effect: 'allow' });
  });

  it('deny when Cedar fails, and say so to the log: a forbid that cannot be evaluated is no allow', () => {
    const details: string[] = [];
    const engine = engineOf(
      `@id("p") permit (principal, action, resource);
       @id("f") forbid (principal, action, resource) when { context.facts has count && context.facts.count + 9223372036854775807 > 0 };`,
      (detail) => details.push(detail),
    );
    expect(ask(engine, { facts: { count: 0 } })).toMatchObject({ effect: 'deny', reason: 'policy-forbids' });
    expect(ask(engine, {})).toMatchObject({ effect: 'allow' });
    expect(ask(engine, { facts: { count: 1 } })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny', policies: [] });
    expect(ask(engine, { facts: { count: 'many' } })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
    expect(ask(engine, { facts: { count: 0.5 } })).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
    expect(details).toHaveLength(3);
  });

  it.each([
    ['a syntax error', '@id("p") permit (principal, action, resource)'],
    ['a policy without a name', 'permit (principal, action, resource);'],
    ['two of one name', '@id("p") permit (principal, action, resource); @id("p") forbid (principal, action, resource);'],
    ['a template', '@id("p") permit (principal == ?principal, action, resource);'],
    ['an unknown action', '@id("p") permit (principal, action == Action::"flows.explode", resource);'],
    ['an unknown type', '@id("p") permit (principal, action, resource is Spaceship);'],
    ['an undeclared fact', '@id("p") permit (principal, action, resource) when { context.facts.magic };'],
    ['a fact that may be absent', '@id("p") permit (principal, action, resource) when { context.facts.force };'],
  ])('are refused with %s', (_what, text) => {
    expect(() => engineOf(text)).toThrow('The policies cannot be used.');
  });

  it('do not mix between engines in one process', () => {
    const open = engineOf('@id("p") permit (principal, action, resource);');
    const shut = engineOf('@id("p") forbid (principal, action, resource);');
    expect(ask(open, {})).toMatchObject({ effect: 'allow' });
    expect(ask(shut, {})).toMatchObject({ effect: 'deny' });
    expect(ask(open, {})).toMatchObject({ effect: 'allow' });
  });

  it('counts a role with a scope only if it is in force', () => {
    const who = { ...principal('viewer'), grants: [{ role: 'viewer', scope: { ...NOWHERE, tags: ['team-a'] } }] };
    const question = { principal: who, action: 'flows.read', resource: { type: 'Flow', id: 'x' }, context: { address: '', carrier: '', facts: {} } } as const;
    const engine = sharedEngine({ actions, revision: 1 });
    expect(engine.evaluate(question)).toMatchObject({ effect: 'deny', reason: 'policy-default-deny' });
    expect(engine.evaluate({ ...question, inForce: ['viewer'] })).toMatchObject({ effect: 'allow', policies: ['viewer'] });
  });
});

describe('an engine that is built in steps', () => {
  const own = Array.from({ length: 60 }, (_, at) => [`own-${at}`, `@id("own-${at}") forbid (principal == Principal::"p${at}", action, resource);`] as const);
  const build = async (texts: readonly (readonly [string, string])[]) => {
    let turns = 0;
    const turn = async () => {
      turns += 1;
    };
    const policies = { ...loadBuiltInPolicies(), ...Object.fromEntries(texts) };
    return { engine: await createPolicyEngineInSteps({ actions, revision: 1, policies }, turn), count: Object.keys(policies).length, turns };
  };

  it('decides as one that is built at once, and takes a turn before every twenty policies and every set', async () => {
    const { engine, count, turns } = await build(own);
    // A set is parsed whole, without scopes, and by what it reads; then the rest.
    expect(turns).toBeGreaterThanOrEqual(Math.floor(count / 20) + 4);
    const atOnce = createPolicyEngine({ actions, revision: 1, policies: { ...loadBuiltInPolicies(), ...Object.fromEntries(own) } });
    const decisions = [...own.keys(), 'other'].map((at) => [engine, atOnce].map((each) => ask(each, { who: { ...principal('viewer'), id: `p${at}` } })));
    for (const [inSteps, whole] of decisions) expect(inSteps).toEqual(whole);
    expect([decisions[59]?.[0], decisions[60]?.[0]]).toMatchObject([{ effect: 'deny', policies: ['own-59'] }, { effect: 'allow' }]);
  });

  it('is not built of what does not parse', async () => {
    await expect(build([['broken', 'permit (principal']])).rejects.toThrow('The policies cannot be used.');
  });
});

describe('a policy that looks into an action by its name', () => {
  const policies = (forbids: string) => `@id("all") permit (principal, action, resource); @id("not") forbid (principal, action, resource) when { ${forbids} };`;
  const [CANCEL, READ] = ['Action::"flow_runs.cancel"', 'Action::"flows.read"'];

  it.each([
    `${CANCEL} in Action::"steer"`,
    `${CANCEL} is Action in Action::"steer"`,
    `(if principal.kind == "user" then ${CANCEL} else action) in [Action::"read", Action::"steer"]`,
    `{a: ${CANCEL}}.a in Action::"steer" && ${READ} in Action::"read"`,
  ])('forbids, whatever is asked about: %s', (forbids) => {
    const engine = engineOf(policies(forbids));
    for (const action of ['flows.read', 'flow_runs.cancel']) {
      const resource = action === 'flows.read' ? FLOW : RUN;
      expect(ask(engine, { action, resource })).toMatchObject({ effect: 'deny', reason: 'policy-forbids', policies: ['not'] });
    }
  });

  it.each([`${CANCEL} in Action::"read"`, `Action::"steer" in ${CANCEL}`, `${READ} in [Action::"steer", ${CANCEL}]`])('twin: does not: %s', (forbids) => {
    expect(ask(engineOf(policies(forbids)), {})).toMatchObject({ effect: 'allow', policies: ['all'] });
  });
});

describe('that a policy asks what an object is', () => {
  const reads = (condition: string) =>
    engineOf(`@id("x") forbid (principal, action == Action::"flows.read", resource is Flow) when { ${condition} };`).readsAttributes;

  it.each([
    'resource has tags && resource.tags.contains("a")',
    '(resource) has tags && (resource).tags.contains("a")',
    'resource // comment\n has tags',
    'resource has "tags"',
    '{r: resource}.r has tags',
    '(if principal.kind == "user" then resource else resource) has tags',
    'Flow::"f" has tags',
  ])('is known: %s', (condition) => expect(reads(condition)).toBe(true));

  it.each([
    'resource == Flow::"f"',
    'resource in [Flow::"f", Flow::"g"]',
    'principal.kind == "resource.tags" && resource is Flow',
    'context.carrier == "session"',
  ])('twin: it does not: %s', (condition) => expect(reads(condition)).toBe(false));
});
