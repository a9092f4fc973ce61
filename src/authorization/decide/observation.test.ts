import { describe, expect, it } from 'vitest';
import type { RoleBinding } from '../../config/config.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Lock } from '../../contract/lock.ts';
import { isObservable } from '../../contract/observable.ts';
import type { ActionGroup } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import { anEdgeInput } from '../../identity/authn/inputs.fixture.ts';
import { type Authentication, refuse } from '../../identity/authn/verdict.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { createDecider } from './decider.ts';
import { openObservation } from './observation.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_700_000_000_000;
const AUTH = `Basic ${Buffer.from('prefect:shared').toString('base64')}`;
const DELETE = { method: 'DELETE', operation: 'delete_deployment_deployments__id__delete', path: '/api/deployments/0199c0de-0000-7000-8000-000000000001' };
const READ = { method: 'POST', operation: 'read_flows_flows_filter_post', path: '/api/flows/filter' };

const CAROL: Principal = {
  ...{ id: 'carol@corp', kind: 'user', idp: 'corp', roles: ['viewer'], grants: everywhere(['viewer']) },
  ...{ groups: ['team-a'], attributes: {}, onBehalfOf: [] },
};
const EVERYONE_OF_TEAM: RoleBinding = { role: 'viewer', members: ['group:team-a@corp'], scope: null };

interface Given {
  readonly mode?: 'enforce' | 'observe';
  readonly roles?: readonly RoleBinding[];
  readonly observe?: readonly ActionGroup[];
  readonly principal?: Partial<Principal>;
  readonly who?: Authentication;
  readonly scopes?: readonly ['prefect:read'];
  readonly enforced?: readonly string[];
  readonly locks?: readonly Partial<Lock>[];
  readonly authString?: string | null;
  readonly afterDays?: number;
  readonly begunDaysAgo?: number;
}

async function deciderOf({ mode = 'observe', roles = [], observe, authString = 'prefect:shared', afterDays = 0, begunDaysAgo = 0, ...given }: Given = {}) {
  let nowMs = START_MS;
  const prefect = { servers: [], authString, apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs: 1 };
  const observation = await openObservation({
    config: { mode, roles, ...(observe !== undefined && { observe }), prefect, identityProviders: [] },
    clock: () => nowMs,
    store: {
      observations: {
        begun: async () => new Map(['*', 'viewer'].map((name) => [name, START_MS - begunDaysAgo * DAY_MS])),
        enforced: async () => (given.enforced ?? []).map((subject) => ({ subject, by: 'local:root', createdMs: 0 })),
      },
      locks: { list: async () => (given.locks ?? []) as readonly Lock[] },
    },
  });
  nowMs += afterDays * DAY_MS;
  const who: Authentication = given.who ?? {
    ok: true,
    principal: { ...CAROL, ...given.principal },
    credential: {
      ...{ id: 'c1', carrier: 'x-lictor-token', expiresAtMs: null, sessionId: null, alsoPresented: [] },
      ...(given.scopes !== undefined && { scopes: given.scopes }),
    },
  };
  const catalogue = createCatalogue();
  const entities = createEntities({ lookup: async () => null, lasting: async () => null, makerOf: async () => null });
  return createDecider({
    authenticator: { authenticate: async () => who, authenticateFrame: async () => who, idle: async () => undefined },
    catalogue,
    policy: sharedEngine({ actions: collectActions(catalogue.operations), revision: 1 }),
    entities: { recent: entities, now: entities },
    changeNumber: async () => 1,
    observation,
  });
}

/** `passes`, `would-be REASON`, or the reason of the refusal. */
async function outcome(given: Given, inputs: Partial<EdgeInputs> = DELETE, frameToken?: string): Promise<string> {
  const answer = await (await deciderOf(given)).authorize(anEdgeInput(inputs), [], frameToken);
  if (!answer.ok) return answer.reason;
  return answer.instead?.ok === false ? `would-be ${answer.instead.reason}` : 'passes';
}

describe('an observed principal with a role', () => {
  it('may do what its role does not permit, and the decision says both', async () => {
    const answer = await (await deciderOf()).authorize(anEdgeInput(DELETE), []);
    expect(answer).toMatchObject({ ok: true, restrictions: [], instead: { ok: false, reason: 'policy-default-deny' } });
    expect(answer.decisions).toMatchObject([{ effect: 'deny', enforced: 'allow' }]);
  });

  it('twin: not without observe mode', async () => {
    expect(await outcome({ mode: 'enforce' })).toBe('policy-default-deny');
  });

  it('is not narrowed to its scope, which the decision still names', async () => {
    const scoped = { grants: [{ role: 'viewer', scope: { ...NOWHERE, tags: ['team-a'] } }] };
    const answer = await (await deciderOf({ principal: scoped })).authorize(anEdgeInput(READ), []);
    expect(answer).toMatchObject({ ok: true, restrictions: [], instead: { ok: true, restrictions: [{ principalId: 'carol@corp' }] } });
  });

  it('twin: without observe mode the restriction holds', async () => {
    const scoped = { grants: [{ role: 'viewer', scope: { ...NOWHERE, tags: ['team-a'] } }] };
    const answer = await (await deciderOf({ mode: 'enforce', principal: scoped })).authorize(anEdgeInput(READ), []);
    expect(answer).toMatchObject({ ok: true, restrictions: [{ principalId: 'carol@corp' }] });
  });

  it.each([
    ['without any role', { principal: { grants: [], roles: [] } }, 'policy-default-deny'],
    ['that is an agent', { principal: { kind: 'agent', id: 'agent:copilot' } }, 'policy-default-deny'],
    ['that acts for an agent', { principal: { limitedBy: [{ ...CAROL, kind: 'agent', id: 'agent:copilot' }] } }, 'policy-default-deny'],
    ['that an agent started', { principal: { onBehalfOf: ['agent:copilot', 'alice@corp'] } }, 'policy-default-deny'],
    ['whose login has only the scope to read', { scopes: ['prefect:read'] }, 'policy-default-deny'],
    ['whose group is enforced', { enforced: ['group:team-a@corp'] }, 'policy-default-deny'],
    ['whose role is enforced', { enforced: ['viewer'] }, 'policy-default-deny'],
    ['whose binding says enforce', { roles: [{ ...EVERYONE_OF_TEAM, mode: 'enforce' }] }, 'policy-default-deny'],
    ['30 days after the beginning', { afterDays: 30 }, 'policy-default-deny'],
    ['30 days after the beginning, whatever was restarted since', { begunDaysAgo: 30 }, 'policy-default-deny'],
    ['that is locked', { who: refuse('locked', 'c1') }, 'locked'],
    ['with a revoked credential', { who: refuse('credential-revoked', 'c1') }, 'credential-revoked'],
  ] as const)('twin: a principal %s is refused', async (_who, given, reason) => {
    expect(await outcome(given as Given)).toBe(reason);
  });

  it.each([
    ['an unknown route', { method: 'GET', operation: '', path: '/api/nothing' }, 'action-unknown'],
    ['a route that is denied to everyone', { method: 'GET', operation: 'pid_pid_get', path: '/api/pid' }, 'route-denied'],
    ['the interface for agents', { ...DELETE, audience: 'mcp' }, 'policy-default-deny'],
  ] as const)('twin: %s is refused', async (_what, inputs, reason) => {
    expect(await outcome({}, inputs)).toBe(reason);
  });

  it('twin: pages and commands of the gateway are never observed', async () => {
    const answer = await (await deciderOf()).authorizeOwn(anEdgeInput({}), 'admin.database');
    expect(answer).toMatchObject({ ok: false, reason: 'policy-default-deny' });
  });

  it('loses the right with the observation: its credential ends then', async () => {
    expect(await (await deciderOf()).authorize(anEdgeInput(DELETE), [])).toMatchObject({ credential: { expiresAtMs: START_MS + 30 * DAY_MS } });
  });
});

describe('a role with mode observe', () => {
  it('observes its members alone', async () => {
    const roles: RoleBinding[] = [{ ...EVERYONE_OF_TEAM, mode: 'observe' }];
    expect(await outcome({ mode: 'enforce', roles })).toBe('would-be policy-default-deny');
    expect(await outcome({ mode: 'enforce', roles, principal: { groups: ['team-b'] } })).toBe('policy-default-deny');
    expect(await outcome({ mode: 'enforce', roles, who: refuse('credential-unknown') }, { ...DELETE, authorization: AUTH })).toBe('credential-unknown');
  });
});

describe('groups of actions that are observed', () => {
  const stranger = { who: refuse('credential-unknown') };
  const scoped = { grants: [{ role: 'viewer', scope: { ...NOWHERE, tags: ['team-a'] } }] };
  const restrictions = async (observe: readonly ActionGroup[]) => {
    const answer = await (await deciderOf({ observe, principal: scoped })).authorize(anEdgeInput(READ), []);
    return answer.ok ? answer.restrictions.length : answer.reason;
  };

  it('pass, and the shared password with them', async () => {
    expect(await outcome({ observe: ['read', 'configure'] })).toBe('would-be policy-default-deny');
    expect(await outcome({ observe: ['read'], ...stranger }, { ...READ, authorization: AUTH })).toBe('would-be shared-password');
    expect(await restrictions(['read'])).toBe(0);
  });

  it('twin: all others are enforced', async () => {
    expect(await outcome({ observe: ['read'] })).toBe('policy-default-deny');
    expect(await outcome({ observe: ['configure'], ...stranger }, { ...READ, authorization: AUTH })).toBe('shared-password');
    expect(await restrictions(['configure'])).toBe(1);
  });
});

describe("a caller that sends Prefect's own auth string", () => {
  const stranger = { who: refuse('credential-unknown') };
  it('passes, and would be refused, whatever a policy permits to everyone', async () => {
    expect(await outcome(stranger, { ...DELETE, authorization: AUTH })).toBe('would-be shared-password');
    expect(await outcome(stranger, { ...READ, authorization: AUTH })).toBe('would-be shared-password');
    expect(await outcome(stranger, READ, 'prefect:shared')).toBe('would-be shared-password');
  });

  it('has an id of its address', async () => {
    const answer = await (await deciderOf(stranger)).authorize(anEdgeInput({ ...READ, authorization: AUTH }), []);
    expect(answer.principal).toMatchObject({ id: 'shared-password:192.0.2.1', grants: [] });
  });

  it.each([
    ['another password', {}, { authorization: `Basic ${Buffer.from('prefect:wrong').toString('base64')}` }],
    ['the password as a bearer token', {}, { authorization: 'Bearer prefect:shared' }],
    ['the auth string in the place of a token', {}, { token: 'prefect:shared' }],
    ['no credential', {}, {}],
    ['an empty password, where Prefect has no auth string', { authString: null }, { authorization: 'Basic ' }],
    ['it without observe mode', { mode: 'enforce' }, { authorization: AUTH }],
    ['it after 30 days', { afterDays: 30 }, { authorization: AUTH }],
    ['it after its enforcement', { enforced: ['shared-password'] }, { authorization: AUTH }],
    ['it at the interface for agents', {}, { authorization: AUTH, audience: 'mcp' }],
  ] as const)('twin: a caller that sends %s is refused', async (_what, given, inputs) => {
    expect(await outcome({ ...stranger, ...(given as Given) }, { ...READ, ...inputs })).toBe('credential-unknown');
  });

  it('twin: not from a locked address, not on pages of the gateway, and not as a frame with another password', async () => {
    const locks = [{ kind: 'address', value: '192.0.2.0/24' }] as const;
    expect(await outcome({ ...stranger, locks }, { ...READ, authorization: AUTH })).toBe('locked');
    expect(await (await deciderOf(stranger)).authorizeOwn(anEdgeInput({ authorization: AUTH }), 'flows.read')).toMatchObject({ reason: 'credential-unknown' });
    expect(await outcome(stranger, READ, 'prefect:wrong')).toBe('credential-unknown');
  });
});

it('reasons of credentials, locks, hostile requests, agents and approvals are never observable', () => {
  const never = ['credential-missing', 'credential-unknown', 'credential-revoked', 'locked', 'path-not-canonical', 'action-unknown', 'route-denied'] as const;
  const neither = ['origin-foreign', 'scope-missing', 'approval-required', 'budget-exceeded', 'label-reserved', 'event-reserved', 'body-too-large'] as const;
  expect([...never, ...neither].filter(isObservable)).toEqual([]);
});
