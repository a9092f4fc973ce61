import { describe, expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import { bareEntity, type Entity } from '../../contract/entity.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE } from '../../contract/scope.ts';
import { type ServiceCall, serviceOperation } from '../../contract/service-call.ts';
import type { Authentication } from '../../identity/authn/authenticator.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { loadBuiltInPolicies, namePolicies } from '../policy/policies.ts';
import { createAnswerer } from './answer.ts';
import { createServiceCalls } from './service-calls.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const POLICIES = `
@id("team-a") permit (principal, action == Action::"services.call", resource in Service::"billing") when { principal has tags && principal.tags.contains("team-a") };
@id("nightly") permit (principal, action == Action::"services.call", resource == ServiceRoute::"vault/v1/*")
  when { principal has deployment && principal.deployment == "nightly/prod" && context.facts has method && context.facts.method == "GET" };
@id("not-alice") forbid (principal, action == Action::"services.call", resource in Service::"vault") when { principal has initiators && principal.initiators.contains("alice@local") };
@id("runs") permit (principal in Role::"run", action == Action::"services.call", resource in Service::"open");
`;
const policy = createPolicyEngine({
  actions: collectActions(OPERATIONS),
  revision: 1,
  policies: { ...loadBuiltInPolicies(), ...Object.fromEntries(namePolicies(POLICIES, 'test')) },
});

const service = (name: string, pattern: string) => bareService(name, [{ pattern, methods: ['GET', 'POST'] }]);
const services = [service('billing', '/*'), service('vault', '/v1/*'), service('open', '/*')];

interface Setting {
  readonly run?: Partial<Entity> | null;
  /** Tags of its deployment; left out: those of the run. Null: the deployment is gone. */
  readonly given?: readonly string[] | null;
  readonly principal?: Partial<Principal>;
  readonly credential?: Partial<Credential>;
  readonly grants?: readonly Grant[];
  /** Actions that need an approval. */
  readonly holds?: readonly string[];
}

function inputs(call: ServiceCall, more: Partial<EdgeInputs> = {}): EdgeInputs {
  const none = { requestId: 'r', host: 'h', listener: '1', address: 'a', authorization: 'x', token: '', session: '', certificate: '', sameOrigin: false };
  return { ...none, method: call.method, operation: serviceOperation(call), path: '', args: '', ...more };
}

function callsOf({ run = {}, given = run?.tags ?? [], principal = {}, credential = {}, grants = everywhere(['run']), holds = [] }: Setting) {
  const who: Principal = {
    ...{ id: `run:${RUN}`, kind: 'run', idp: null, roles: ['run'], grants, groups: [], attributes: { flow_run_id: RUN }, onBehalfOf: [] },
    ...principal,
  };
  const shown: Credential = { id: 'c', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [], ...credential };
  const answer: Authentication = { ok: true, principal: who, credential: shown };
  return createServiceCalls({
    authenticator: { authenticate: async () => answer },
    policy,
    entities: {
      find: async ({ type }) => {
        if (type === 'Deployment') return given === null ? null : bareEntity('Deployment', { tags: given });
        return run === null ? null : bareEntity('FlowRun', { id: RUN, deploymentId: 'd', ...run });
      },
    },
    services,
    changeNumber: async () => 1,
    needsApproval: (_principal, action) => holds.includes(action),
  });
}

async function reasonFor(setting: Setting, [name, method, route]: readonly [string, string, string], more: Partial<EdgeInputs> = {}): Promise<string> {
  const call = { service: name, method, route };
  const answer = await callsOf(setting).authorize(inputs(call, more), call);
  return answer.ok ? 'allowed' : answer.reason;
}

it.each<[string, Partial<Principal>, string]>([
  ['a person', { id: 'alice@local', kind: 'user', attributes: {} }, 'allowed'],
  ['an agent', { id: 'agent:copilot', kind: 'agent', attributes: {} }, 'egress-unchecked'],
  ['a run of an agent', { onBehalfOf: ['agent:copilot'] }, 'allowed'],
])('a call of %s: %s', async (_who, principal, result) => {
  expect(await reasonFor({ principal }, ['open', 'GET', '/*'])).toBe(result);
});

describe('a call of a service', () => {
  it.each<[string, Setting, readonly [string, string, string], string]>([
    ['a run with the tag', { run: { tags: ['team-a'] } }, ['billing', 'GET', '/*'], 'allowed'],
    ['a run with another tag', { run: { tags: ['team-b'] } }, ['billing', 'GET', '/*'], 'policy-default-deny'],
    [
      'a run with a tag that its deployment has not',
      { run: { tags: ['team-a', 'team-b'] }, given: ['team-b'] },
      ['billing', 'GET', '/*'],
      'policy-default-deny',
    ],
    ['a run with one of the tags of its deployment', { run: { tags: ['mine', 'team-a'] }, given: ['team-a', 'nightly'] }, ['billing', 'GET', '/*'], 'allowed'],
    ['a run without the tag that its deployment has', { run: { tags: ['team-b'] }, given: ['team-a'] }, ['billing', 'GET', '/*'], 'policy-default-deny'],
    ['a run with the tag and no deployment', { run: { tags: ['team-a'], deploymentId: null } }, ['billing', 'GET', '/*'], 'policy-default-deny'],
    ['a run with the tag of a deployment that is gone', { run: { tags: ['team-a'] }, given: null }, ['billing', 'GET', '/*'], 'policy-default-deny'],
    ['a run that Prefect does not know', { run: null }, ['billing', 'GET', '/*'], 'policy-default-deny'],
    ['the tag, but another service', { run: { tags: ['team-a'] } }, ['vault', 'GET', '/v1/*'], 'policy-default-deny'],
    ['a deployment, by method and route', { run: { deployment: 'nightly/prod' } }, ['vault', 'GET', '/v1/*'], 'allowed'],
    ['the same with another method', { run: { deployment: 'nightly/prod' } }, ['vault', 'POST', '/v1/*'], 'policy-default-deny'],
    [
      'the same, started by somebody else',
      { run: { deployment: 'nightly/prod' }, principal: { onBehalfOf: ['alice@local'] } },
      ['vault', 'GET', '/v1/*'],
      'policy-forbids',
    ],
    ['a route that is not listed', { run: { tags: ['team-a'] } }, ['billing', 'GET', '/v1/*'], 'service-route-unknown'],
    ['no route', { run: { tags: ['team-a'] } }, ['billing', 'GET', ''], 'service-route-unknown'],
    ['a method that is not listed', { run: { tags: ['team-a'] } }, ['billing', 'DELETE', '/*'], 'service-route-unknown'],
    ['a service that is not there', { run: { tags: ['team-a'] } }, ['other', 'GET', '/*'], 'service-unknown'],
    ['a session', { credential: { carrier: 'session' } }, ['open', 'GET', '/*'], 'session-not-accepted'],
    ['a client without the scope', { credential: { scopes: ['prefect:read'] } }, ['open', 'GET', '/*'], 'scope-missing'],
    [
      'a call that would have to wait for an approval',
      { run: { tags: ['team-a'] }, holds: ['services.call'] },
      ['billing', 'GET', '/*'],
      'approval-impossible',
    ],
    ['a call while other actions wait', { run: { tags: ['team-a'] }, holds: ['services.connect'] }, ['billing', 'GET', '/*'], 'allowed'],
    ['a client with it', { credential: { scopes: ['prefect:run'] } }, ['open', 'GET', '/*'], 'allowed'],
    [
      'somebody with the tag as an attribute',
      { principal: { kind: 'service', attributes: { tags: 'team-a' } } },
      ['billing', 'GET', '/*'],
      'policy-default-deny',
    ],
    ['an admin', { principal: { kind: 'user', grants: everywhere(['admin']), attributes: {} } }, ['vault', 'POST', '/v1/*'], 'allowed'],
    ['a viewer', { principal: { kind: 'user', grants: everywhere(['viewer']), attributes: {} } }, ['open', 'GET', '/*'], 'policy-default-deny'],
  ])('%s', async (_what, setting, call, wanted) => {
    expect(await reasonFor(setting, call)).toBe(wanted);
  });

  it('by a role of a scope: for the runs that it covers', async () => {
    const grants = [{ role: 'run', scope: { ...NOWHERE, tags: ['team-a'] } }];
    expect(await reasonFor({ grants, run: { tags: ['team-a'] } }, ['open', 'GET', '/*'])).toBe('allowed');
    expect(await reasonFor({ grants, run: { tags: ['team-b'] } }, ['open', 'GET', '/*'])).toBe('policy-default-deny');
    expect(await reasonFor({ grants, run: null }, ['open', 'GET', '/*'])).toBe('policy-default-deny');
    expect(await reasonFor({ grants, run: { tags: ['team-a'] }, given: ['team-b'] }, ['open', 'GET', '/*'])).toBe('policy-default-deny');
  });

  it('from the page of another origin, with a client certificate, not even to read', async () => {
    const setting: Setting = { credential: { carrier: 'certificate' } };
    expect(await reasonFor(setting, ['open', 'GET', '/*'], { foreignOrigin: true })).toBe('origin-foreign');
    expect(await reasonFor(setting, ['open', 'GET', '/*'])).toBe('allowed');
  });
});

describe('the answer to nginx', () => {
  interface AnswererParts {
    readonly mayWrite?: boolean;
    readonly with?: boolean;
    readonly token?: { readonly token: string; readonly expiresAtMs: number } | 'none';
    readonly generation?: number;
  }
  function answerer(parts: AnswererParts = {}) {
    const never = async (): Promise<never> => {
      throw new Error('not asked');
    };
    const catalogue = { operations: [], byId: () => undefined, match: () => undefined, params: () => undefined, mismatch: () => undefined };
    const decider = {
      revision: 1,
      readsParameters: false,
      authorize: async () => ({ ok: true, principal: somebody, credential: shown, decisions: [], restrictions: [], entities: [] }) as const,
      authorizeNow: never,
      authorizeOwn: never,
      authorizeOwnList: never,
      precheck: never,
      authenticate: never,
    };
    const tokens = { of: async () => (parts.token === 'none' ? undefined : (parts.token ?? null)), refused: () => undefined };
    const about: unknown[] = [];
    const assert = async (call: unknown) => `signed ${about.push(call)}`;
    return {
      about,
      ...createAnswerer({
        decider,
        catalogue,
        clock: () => 1,
        steady: () => 1,
        mayWrite: () => parts.mayWrite ?? true,
        ...(parts.with !== false && {
          services: { calls: callsOf({ run: { tags: ['team-a'] } }), assert, credentials: { tokens }, cacheGeneration: async () => parts.generation ?? null },
        }),
      }),
    };
  }
  const somebody: Principal = { id: 'x', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] };
  const shown: Credential = { id: 'c', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] };
  const get = { service: 'billing', method: 'GET', route: '/*' };

  it('carries the assertion, for as long as any allow', async () => {
    const asked = answerer();
    const { status, headers } = await asked.answer(inputs(get));
    expect([status, headers['x-lictor-path'], headers['x-lictor-assertion'], headers['cache-control']]).toEqual([
      200,
      'egress',
      'signed 1',
      'max-age=1, stale-if-error=30',
    ]);
    expect(asked.about).toMatchObject([{ service: 'billing', principal: { id: `run:${RUN}` }, run: { tags: ['team-a'] } }]);
    expect((await asked.answer(inputs({ ...get, service: 'vault', route: '/v1/*' }))).status).toBe(403);
    expect(asked.about).toHaveLength(1);
  });

  it('carries the access token that the service is shown, no longer than it is good', async () => {
    const answerOf = async (token: Parameters<typeof answerer>[0]) => (await answerer(token).answer(inputs(get))).headers;
    const long = await answerOf({ token: { token: 'abc', expiresAtMs: 600_000 } });
    expect([long['x-lictor-credential'], long['cache-control']]).toEqual(['Bearer abc', 'max-age=1, stale-if-error=30']);
    expect((await answerOf({ token: { token: 'abc', expiresAtMs: 13_001 } }))['cache-control']).toBe('max-age=1, stale-if-error=10');
    expect((await answerOf({ token: { token: 'abc', expiresAtMs: 1_500 } }))['cache-control']).toBe('no-store');
    expect(await answerOf({})).not.toHaveProperty('x-lictor-credential');
  });

  it('forwards no call to a service without the token that it needs', async () => {
    const { status, headers } = await answerer({ token: 'none' }).answer(inputs(get));
    expect([status, headers['x-lictor-path'], headers['cache-control']]).toEqual([200, 'uncredentialed', 'no-store']);
    expect(headers).not.toHaveProperty('x-lictor-assertion');
  });

  it('says how often the cache of the service was purged, where it has one', async () => {
    expect((await answerer({ generation: 3 }).answer(inputs(get))).headers).toMatchObject({ 'x-lictor-cache-generation': '3' });
    expect((await answerer().answer(inputs(get))).headers).not.toHaveProperty('x-lictor-cache-generation');
    expect((await answerer({ generation: 3 }).answer(inputs({ ...get, service: 'vault', route: '/v1/*' }))).headers).not.toHaveProperty(
      'x-lictor-cache-generation',
    );
  });

  it('is no for what is no operation of a service, and where there are none', async () => {
    for (const operation of ['', 'svc:', 'svc:billing', 'svc:billing:GET', 'svc:billing:get:/*', 'svc:bill ing:GET:/*'])
      expect((await answerer().answer({ ...inputs(get), operation })).headers['x-lictor-path'], operation).toBe('no:action-unknown');
    expect((await answerer({ with: false }).answer(inputs(get))).headers['x-lictor-path']).toBe('no:action-unknown');
  });

  it('is no answer for a write while the ledger cannot be written', async () => {
    await expect(answerer({ mayWrite: false }).answer(inputs({ ...get, method: 'POST' }))).rejects.toMatchObject({ code: 'ledger-unavailable' });
    expect((await answerer({ mayWrite: false }).answer(inputs(get))).status).toBe(200);
  });
});
