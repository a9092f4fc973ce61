import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientScope } from '../../contract/client-scopes.ts';
import type { PrincipalKind } from '../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE } from '../../contract/scope.ts';
import { anEdgeInput } from '../../identity/authn/inputs.fixture.ts';
import type { Authentication } from '../../identity/authn/verdict.ts';
import { refuse } from '../../identity/authn/verdict.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { type Ask, createDecider, type Decider } from './decider.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const SET_STATE = { method: 'POST', operation: 'set_flow_run_state_flow_runs__id__set_state_post', path: `/api/flow_runs/${RUN}/set_state` };
const CANCEL = [{ action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: RUN } }] as const;

const GOOD: Authentication = {
  ok: true,
  principal: {
    id: 'bob@corp',
    kind: 'user',
    idp: 'corp',
    roles: ['operator'],
    grants: everywhere(['operator']),
    groups: [],
    attributes: {},
    onBehalfOf: [],
  },
  credential: { id: 'c1', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] },
};

let now: {
  who: Authentication;
  changeNumber: number;
  asked: number;
  observes: boolean;
  evaluated: string[];
  looked: string[] /** The action that needs an approval. */;
  held: string;
  onAsked: () => unknown;
};
let decider: Decider;
beforeEach(() => {
  now = { who: GOOD, changeNumber: 1, asked: 0, observes: false, evaluated: [], looked: [], held: '', onAsked: () => undefined };
  const authenticate = async (): Promise<Authentication> => {
    now.asked += 1;
    const { who } = now;
    now.onAsked();
    return who;
  };
  const catalogue = createCatalogue();
  const engine = sharedEngine({ actions: collectActions(catalogue.operations), revision: 1 });
  const entities = createEntities({
    lookup: async (path) => {
      now.looked.push(path);
      return null;
    },
    lasting: async () => null,
    makerOf: async () => null,
  });
  decider = createDecider({
    authenticator: { authenticate, authenticateFrame: authenticate, idle: async () => undefined },
    catalogue,
    policy: {
      ...engine,
      evaluate(question) {
        now.evaluated.push(question.action);
        return { ...engine.evaluate(question), ...(now.observes && { effect: 'deny', enforced: 'allow' }) };
      },
    },
    entities: { recent: entities, now: entities },
    changeNumber: async () => now.changeNumber,
    needsApproval: (_principal, action) => now.held === action,
  });
});

describe('one mediated request', () => {
  it('is authenticated once: what the pre-check has found counts for the decision on its body', async () => {
    const inputs = anEdgeInput(SET_STATE);
    expect((await decider.precheck(inputs)).ok).toBe(true);
    expect((await decider.authorizeNow(inputs, CANCEL)).ok).toBe(true);
    expect(now.asked).toBe(1);
  });

  it('twin: not when something has changed in between; a token that was revoked meanwhile is refused', async () => {
    const inputs = anEdgeInput(SET_STATE);
    await decider.precheck(inputs);
    now = { ...now, who: refuse('credential-revoked', 'c1'), changeNumber: 2 };
    expect(await decider.authorizeNow(inputs, CANCEL)).toMatchObject({ ok: false, reason: 'credential-revoked' });
  });

  it('is known by its own inputs alone: another request with the very same words is authenticated by itself', async () => {
    await decider.precheck(anEdgeInput(SET_STATE));
    now = { ...now, who: refuse('credential-expired', 'c1') };
    expect(await decider.authorizeNow(anEdgeInput(SET_STATE), CANCEL)).toMatchObject({ ok: false, reason: 'credential-expired' });
  });

  it('that serves a request of the client is authenticated with it, once: later ones see that the credential has expired', async () => {
    const inputs = anEdgeInput(SET_STATE);
    await decider.authenticate(inputs);
    expect((await decider.precheck(anEdgeInput(SET_STATE), inputs)).ok).toBe(true);
    expect(now.asked).toBe(1);
    now = { ...now, who: refuse('credential-expired', 'c1') };
    expect(await decider.precheck(anEdgeInput(SET_STATE), inputs)).toMatchObject({ ok: false, reason: 'credential-expired' });
  });

  it('twin: not when something has changed since the request of the client', async () => {
    const inputs = anEdgeInput(SET_STATE);
    await decider.authenticate(inputs);
    now = { ...now, who: refuse('credential-revoked', 'c1'), changeNumber: 2 };
    expect(await decider.precheck(anEdgeInput(SET_STATE), inputs)).toMatchObject({ ok: false, reason: 'credential-revoked' });
  });

  it('a refusal of the pre-check is one of the decision too', async () => {
    const inputs = anEdgeInput(SET_STATE);
    now = { ...now, who: refuse('credential-unknown') };
    expect(await decider.precheck(inputs)).toMatchObject({ ok: false, reason: 'credential-unknown' });
    expect(await decider.authorizeNow(inputs, CANCEL)).toMatchObject({ ok: false, reason: 'credential-unknown' });
  });
});

it('what lasts longer than a request, such as a socket, is authenticated each time: a credential ends by the clock alone', async () => {
  const inputs = anEdgeInput(SET_STATE);
  await decider.precheck(inputs);
  expect((await decider.authorize(inputs, CANCEL)).ok).toBe(true);
  now = { ...now, who: refuse('credential-expired', 'c1') };
  expect(await decider.authorize(inputs, CANCEL)).toMatchObject({ ok: false, reason: 'credential-expired' });
});

describe('a security change while a decision is made', () => {
  it.each([
    ['authorize', () => decider.authorize(anEdgeInput(SET_STATE), CANCEL)],
    ['authorizeNow', () => decider.authorizeNow(anEdgeInput(SET_STATE), CANCEL)],
    ['precheck', () => decider.precheck(anEdgeInput(SET_STATE))],
    ['authorizeOwn', () => decider.authorizeOwn(anEdgeInput(SET_STATE), 'audit.read')],
    ['authorizeOwnList', () => decider.authorizeOwnList(anEdgeInput(SET_STATE), 'audit.read', 'FlowRun')],
  ] as const)('%s decides again by what holds after the change', async (_, decide) => {
    if (GOOD.ok) now.who = { ...GOOD, principal: { ...GOOD.principal, roles: ['admin'], grants: everywhere(['admin']) } };
    now.onAsked = () => {
      if (now.asked === 1) now = { ...now, who: refuse('credential-revoked', 'c1'), changeNumber: 2 };
    };
    expect(await decide()).toMatchObject({ ok: false, reason: 'credential-revoked' });
    expect(now.asked).toBe(2);
  });

  it('twin: without a change one look is enough', async () => {
    expect(await decider.authorize(anEdgeInput(SET_STATE), CANCEL)).toMatchObject({ ok: true });
    expect(now.asked).toBe(1);
  });

  it('is an outage when changes do not end', async () => {
    now.onAsked = () => (now.changeNumber += 1);
    expect(await decider.authorize(anEdgeInput(SET_STATE), CANCEL)).toMatchObject({ ok: false, reason: 'gateway-unavailable' });
  });
});

describe('the object that the path names', () => {
  const SCOPED = { ...NOWHERE, tags: ['team-a'] };
  const asks: readonly Ask[] = [
    { action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: RUN }, inPath: { screened: false } },
    { action: 'deployments.run', resource: { type: 'Deployment', id: RUN } },
  ];

  it('is asked about once, like everything else', async () => {
    await decider.authorizeNow(anEdgeInput(SET_STATE), asks);
    expect(now.evaluated).toEqual(['flow_runs.cancel', 'deployments.run']);
  });

  it('decides alone when it is foreign: nothing that depends on it is looked at', async () => {
    if (GOOD.ok) now.who = { ...GOOD, principal: { ...GOOD.principal, grants: [{ role: 'operator', scope: SCOPED }] } };
    expect(await decider.authorizeNow(anEdgeInput(SET_STATE), asks)).toMatchObject({ ok: false, reason: 'object-foreign', decisions: [{}] });
    expect(now.looked).toEqual([`/api/flow_runs/${RUN}`]);
  });
});

describe('the scopes of a client', () => {
  const scoped: Authentication = { ...GOOD, credential: { ...GOOD.credential, scopes: ['prefect:read'] } };

  it.each([false, true])('take away what is done, also where policies are only observed: %s', async (observes) => {
    now = { ...now, observes, who: scoped };
    expect(await decider.authorizeNow(anEdgeInput(SET_STATE), CANCEL)).toMatchObject({ ok: false, reason: 'scope-missing' });
  });

  it.each([false, true])('twin: remove no rights without client scopes: %s', async (observes) => {
    now = { ...now, observes };
    expect(await decider.authorizeNow(anEdgeInput(SET_STATE), CANCEL)).toMatchObject({ ok: true });
  });
});

describe('a principal of other carriers and roles', () => {
  const as = (more: {
    readonly carrier?: 'session' | 'certificate';
    readonly grants?: readonly Grant[];
    readonly scopes?: readonly ClientScope[];
    readonly kind?: PrincipalKind;
    /** The kind of a principal that bounds it. */
    readonly limitedBy?: PrincipalKind;
  }): Authentication => {
    if (!GOOD.ok) return GOOD;
    const { carrier = 'authorization', grants = everywhere(['admin']), scopes, kind = GOOD.principal.kind, limitedBy } = more;
    const principal = { ...GOOD.principal, kind, roles: grants.map(({ role }) => role), grants };
    return {
      ...GOOD,
      principal: { ...principal, ...(limitedBy !== undefined && { limitedBy: [{ ...principal, kind: limitedBy }] }) },
      credential: { ...GOOD.credential, carrier, ...(scopes !== undefined && { scopes }) },
    };
  };
  const TEAM = { ...NOWHERE, tags: ['team-a'] };
  const OTHER = { ...NOWHERE, tags: ['team-b'] };
  const READ = { method: 'GET', operation: 'read_flow_run_flow_runs__id__get', path: `/api/flow_runs/${RUN}` };

  it('is refused a route that is closed to everybody, as an admin too', async () => {
    const closed = createCatalogue().operations.find(({ taken }) => taken === 'deny');
    if (closed === undefined) throw new Error('no route is closed');
    now.who = as({});
    const inputs = anEdgeInput({ method: closed.method, operation: closed.operationId, path: closed.path });
    expect(await decider.authorize(inputs, [])).toMatchObject({ ok: false, reason: 'route-denied' });
  });

  it.each([
    ['session', {}],
    ['certificate', { foreignOrigin: true }],
  ] as const)('changes nothing by a %s from a page of another origin, and reads', async (carrier, page) => {
    now.who = as({ carrier });
    expect(await decider.authorizeNow(anEdgeInput({ ...SET_STATE, ...page }), CANCEL)).toMatchObject({ ok: false, reason: 'origin-foreign' });
    expect((await decider.authorize(anEdgeInput({ ...READ, ...page }), [])).ok).toBe(true);
    expect((await decider.authorizeNow(anEdgeInput({ ...SET_STATE, sameOrigin: true }), CANCEL)).ok).toBe(true);
  });

  it('reads the gateway itself by a role on everything alone', async () => {
    now.who = as({ grants: [{ role: 'admin', scope: TEAM }] });
    expect(await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).toMatchObject({ ok: false, reason: 'scope-not-filterable' });
    now.who = as({});
    expect((await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).ok).toBe(true);
  });

  it('lists the own objects of the gateway by a role on some of them, with the restrictions', async () => {
    now.who = as({ grants: [{ role: 'operator', scope: TEAM }] });
    const listed = await decider.authorizeOwnList(anEdgeInput({}), 'ledger.read', 'FlowRun');
    expect(listed).toMatchObject({ ok: true, restrictions: [{ principalId: 'bob@corp', scopes: [TEAM] }] });
    now.who = as({ grants: [{ role: 'viewer', scope: TEAM }] });
    expect(await decider.authorizeOwnList(anEdgeInput({}), 'ledger.read', 'FlowRun')).toMatchObject({ ok: false, reason: 'policy-default-deny' });
    now.who = as({ kind: 'agent', grants: [{ role: 'operator', scope: TEAM }] });
    expect(await decider.authorizeOwnList(anEdgeInput({}), 'ledger.read', 'FlowRun')).toMatchObject({ ok: false, reason: 'own-api-unchecked' });
  });

  it('does not read the gateway itself as an agent, nor as a principal that an agent acts for', async () => {
    now.who = as({ kind: 'agent' });
    expect(await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).toMatchObject({ ok: false, reason: 'own-api-unchecked' });
    now.who = as({ limitedBy: 'agent' });
    expect(await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).toMatchObject({ ok: false, reason: 'own-api-unchecked' });
  });

  it('does not read the gateway itself where that would have to wait for an approval', async () => {
    now.who = as({});
    now.held = 'ledger.read';
    expect(await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).toMatchObject({ ok: false, reason: 'approval-impossible' });
  });

  it('reads the gateway itself as far as the scopes of its client allow', async () => {
    now.who = as({ scopes: ['prefect:read'] });
    expect(await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).toMatchObject({ ok: false, reason: 'scope-missing' });
    now.who = as({ scopes: ['lictor:admin'] });
    expect((await decider.authorizeOwn(anEdgeInput({}), 'ledger.read')).ok).toBe(true);
  });

  it('is restricted to the scopes that permit every ask of a request', async () => {
    now.who = as({
      grants: [
        { role: 'viewer', scope: TEAM },
        { role: 'operator', scope: OTHER },
      ],
    });
    const ask = (action: 'flow_runs.read' | 'flow_runs.cancel'): Ask => ({ action, resource: { type: 'FlowRun', id: null } });
    expect(await decider.authorizeNow(anEdgeInput(SET_STATE), [ask('flow_runs.read')])).toMatchObject({
      ok: true,
      restrictions: [{ principalId: 'bob@corp', scopes: [TEAM, OTHER] }],
    });
    const both = await decider.authorizeNow(anEdgeInput(SET_STATE), [ask('flow_runs.read'), ask('flow_runs.cancel')]);
    expect(both).toMatchObject({ ok: true, restrictions: [{ principalId: 'bob@corp', scopes: [OTHER] }] });
  });
});
