// Chains of principals: the right is the intersection, and a refusal names the principal that lacks the right.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../contract/json/tree.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE, type Scope } from '../../contract/scope.ts';
import { anEdgeInput } from '../../identity/authn/inputs.fixture.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { loadBuiltInPolicies, namePolicies, uniqueByName } from '../policy/policies.ts';
import { type Authorization, createDecider, type Decider } from './decider.ts';
import { evaluateEgress } from './egress.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const TEAM: Scope = { ...NOWHERE, tags: ['team-a'] };
const NIGHTLY: Scope = { ...NOWHERE, tags: ['nightly'] };
const OWN = { ...NOWHERE, own: true };
const FORBIDDEN = '@id("no-bob") forbid (principal == Principal::"bob@corp", action == Action::"flow_runs.cancel", resource);';
const catalogue = createCatalogue();
const actions = collectActions(catalogue.operations);
const policies = uniqueByName([...Object.entries(loadBuiltInPolicies()), ...namePolicies(FORBIDDEN, 'test')]);
const engine = sharedEngine({ actions, revision: 1, policies });

function person(id: string, grants: readonly Grant[], limitedBy?: readonly Principal[]): Principal {
  const roles = grants.map(({ role }) => role);
  const who = { id, kind: id.startsWith('agent:') ? 'agent' : 'user', idp: null, roles, grants, groups: [], attributes: {} } as const;
  return { ...who, onBehalfOf: (limitedBy ?? []).map((each) => each.id), ...(limitedBy !== undefined && { limitedBy }) };
}
const agent = (grants: readonly Grant[], ...limitedBy: readonly Principal[]) => person('agent:copilot', grants, limitedBy);
const scoped = (role: string, scope = TEAM): readonly Grant[] => [{ role, scope }];

const looked: string[] = [];
function deciderOf(principal: Principal, { run = { tags: ['team-a', 'nightly'] } as JsonObject, owner = null as string | null } = {}): Decider {
  const authenticate = async () => ({ ok: true, principal, credential: CREDENTIAL }) as const;
  const lookup = async (path: string) => {
    looked.push(path);
    return path === `/api/flow_runs/${RUN}` ? { id: RUN, ...run } : null;
  };
  const entities = createEntities({ lookup, lasting: lookup, makerOf: async () => owner });
  return createDecider({
    authenticator: { authenticate, authenticateFrame: authenticate, idle: async () => undefined },
    ...{ catalogue, policy: engine, entities: { recent: entities, now: entities }, changeNumber: async () => 1 },
  });
}
const CREDENTIAL = { id: 'c1', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
const SET_STATE = { method: 'POST', operation: 'set_flow_run_state_flow_runs__id__set_state_post', path: `/api/flow_runs/${RUN}/set_state` };
const CANCEL = { action: 'flow_runs.cancel', resource: { type: 'FlowRun', id: RUN }, inPath: { screened: false } } as const;
const LIST = { action: 'flow_runs.read', resource: { type: 'FlowRun', id: null } } as const;

const cancel = (principal: Principal, more?: Parameters<typeof deciderOf>[1]): Promise<Authorization> =>
  deciderOf(principal, more).authorizeNow(anEdgeInput(SET_STATE), [CANCEL]);
const list = (principal: Principal) => deciderOf(principal).authorizeNow(anEdgeInput(SET_STATE), [LIST]);

describe('a chain of principals', () => {
  it.each([
    ['both may', everywhere(['operator']), everywhere(['operator']), 'allow'],
    ['the agent alone may', everywhere(['operator']), everywhere(['viewer']), 'policy-default-deny'],
    ['the person alone may', everywhere(['viewer']), everywhere(['operator']), 'policy-default-deny'],
    ['both scopes cover the run', scoped('operator'), scoped('operator', NIGHTLY), 'allow'],
    ['the scope of the agent does not cover it', scoped('operator', { ...TEAM, tags: ['b'] }), everywhere(['operator']), 'object-foreign'],
    ['the scope of the person does not cover it', everywhere(['operator']), scoped('operator', { ...TEAM, tags: ['b'] }), 'object-foreign'],
    ['the person has no role', everywhere(['operator']), [], 'policy-default-deny'],
  ] as const)('when %s', async (_when, own, sponsors, expected) => {
    const answer = await cancel(agent(own, person('alice@corp', sponsors)));
    expect(answer.ok ? 'allow' : answer.reason).toBe(expected);
    const before = await deciderOf(agent(own, person('alice@corp', sponsors))).precheck(anEdgeInput(SET_STATE));
    expect(before.ok).toBe(expected !== 'policy-default-deny');
  });

  it('has as many principals as there are, also nested ones', async () => {
    const of = (last: readonly Grant[]) => agent(everywhere(['admin']), person('agent:b', everywhere(['admin']), [person('alice@corp', last)]));
    expect((await cancel(of(everywhere(['operator'])))).ok).toBe(true);
    expect(await cancel(of(everywhere(['viewer'])))).toMatchObject({ ok: false, decisions: [{ lackedBy: 'alice@corp' }] });
  });

  it('takes a policy about one of them, and `own` of each', async () => {
    expect((await cancel(agent(everywhere(['admin']), person('alice@corp', everywhere(['admin']))))).ok).toBe(true);
    const forbidden = await cancel(agent(everywhere(['admin']), person('bob@corp', everywhere(['admin']))));
    expect(forbidden).toMatchObject({ ok: false, reason: 'policy-forbids', decisions: [{ lackedBy: 'bob@corp', policies: ['no-bob'] }] });
    const own = agent(everywhere(['operator']), person('alice@corp', scoped('operator', OWN)));
    expect((await cancel(own, { owner: 'alice@corp' })).ok).toBe(true);
    expect(await cancel(own, { owner: 'agent:copilot' })).toMatchObject({ ok: false, reason: 'object-foreign' });
  });

  it('says in words whose right is missing', async () => {
    const both = agent(everywhere(['viewer']), person('alice@corp', everywhere(['operator'])));
    expect(await cancel(both)).toMatchObject({ detail: 'agent:copilot (viewer) may not cancel flow runs (flow_runs.cancel); role operator may.' });
    const limited = agent(everywhere(['operator']), person('alice@corp', everywhere(['viewer'])));
    const words = 'alice@corp (viewer), for whom agent:copilot acts, may not cancel flow runs (flow_runs.cancel); role operator may.';
    expect(await cancel(limited)).toMatchObject({ detail: words });
  });

  it('hides an object of one of them, though the other lacks the right', async () => {
    const sponsor = person('alice@corp', scoped('operator', { ...TEAM, tags: ['b'] }));
    expect(await cancel(agent(everywhere(['viewer']), sponsor))).toMatchObject({ ok: false, reason: 'object-foreign' });
  });

  it('reads an object once for all of them', async () => {
    looked.length = 0;
    await cancel(agent(scoped('operator'), person('alice@corp', scoped('operator', NIGHTLY))));
    expect(looked.filter((path) => path.includes(RUN))).toHaveLength(1);
  });

  it('narrows a list to the scopes of each; one with a role on everything narrows nothing', async () => {
    const [own, sponsors] = [scoped('viewer'), scoped('viewer', NIGHTLY)];
    const both = {
      restrictions: [
        { principalId: 'agent:copilot', scopes: [TEAM] },
        { principalId: 'alice@corp', scopes: [NIGHTLY] },
      ],
    };
    expect(await list(agent(own, person('alice@corp', sponsors)))).toMatchObject(both);
    expect(await list(agent(everywhere(['viewer']), person('alice@corp', sponsors)))).toMatchObject({ restrictions: both.restrictions.slice(1) });
    expect(await list(agent(everywhere(['viewer']), person('alice@corp', everywhere(['viewer']))))).toMatchObject({ restrictions: [] });
  });

  it("reads Lictor's own pages only with a role of each on everything, and never as an agent", async () => {
    const read = (sponsors: readonly Grant[], id = 'robot@ci') =>
      deciderOf(person(id, everywhere(['admin']), [person('alice@corp', sponsors)])).authorizeOwn(anEdgeInput({}), 'ledger.read');
    expect((await read(everywhere(['admin']))).ok).toBe(true);
    expect(await read(everywhere(['admin']), 'agent:copilot')).toMatchObject({ ok: false, reason: 'own-api-unchecked' });
    expect(await read(everywhere(['viewer']))).toMatchObject({ ok: false, reason: 'policy-default-deny', decisions: [{ lackedBy: 'alice@corp' }] });
    expect(await read(scoped('admin'))).toMatchObject({ ok: false, reason: 'scope-not-filterable', decisions: [{ lackedBy: 'alice@corp' }] });
  });

  it('calls services and hosts only as far as each of them may, and never for an agent', async () => {
    const resource = { type: 'ServiceRoute', id: 'billing/v1/*' } as const;
    const egress = `@id("calls") permit (principal, action == Action::"services.call", resource) when { principal in Role::"operator" };`;
    const policy = sharedEngine({ actions, revision: 1, policies: uniqueByName([...Object.entries(loadBuiltInPolicies()), ...namePolicies(egress, 'test')]) });
    const facts = { service: 'billing', method: 'GET', route: 'v1/*' };
    const context = { address: '', carrier: 'authorization', facts };
    const call = (sponsors: readonly Grant[], id = 'robot@ci') =>
      evaluateEgress(policy, {
        principal: person(id, everywhere(['operator']), [person('alice@corp', sponsors)]),
        run: null,
        action: 'services.call',
        resource,
        context,
      });
    expect(call(everywhere(['operator']))).toMatchObject({ enforced: 'allow', policies: ['calls'] });
    expect(call(everywhere(['operator']), 'agent:copilot')).toMatchObject({ enforced: 'deny', reason: 'egress-unchecked' });
    expect(call([])).toMatchObject({ enforced: 'deny', lackedBy: 'alice@corp' });
    expect(call(scoped('operator'))).toMatchObject({ enforced: 'deny', lackedBy: 'alice@corp' });
  });
});

it('twin: a principal without a chain is decided by its own roles alone', async () => {
  expect((await cancel(person('alice@corp', everywhere(['operator'])))).ok).toBe(true);
  expect(await cancel(person('alice@corp', everywhere(['viewer'])))).not.toHaveProperty('decisions.0.lackedBy');
});
