// Requests of a principal with roles on everything that acts for a person with a scope: each is bounded by the person's scope.
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE, type Scope } from '../../contract/scope.ts';
import { DEPLOYMENT, json, type Options, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const OTHER_RUN = '22222222-2222-3333-4444-555555555555';
const FLOW = 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee';
const LEASE = '99999999-0000-4000-8000-000000000001';
const TEAM: Scope = { ...NOWHERE, tags: ['team-a'] };

const run = (id: string, tag: string) => ({ id, tags: [tag], flow_id: FLOW, deployment_id: null, labels: {} });
const OBJECTS = {
  [`GET /api/flows/${FLOW}`]: { id: FLOW, name: 'etl', tags: ['hidden'], labels: {} },
  [`GET /api/flow_runs/${RUN}`]: run(RUN, 'team-a'),
  [`GET /api/flow_runs/${OTHER_RUN}`]: run(OTHER_RUN, 'team-b'),
  [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, name: 'x', flow_id: FLOW, tags: ['team-a'], work_pool_name: null },
};

function person(grants: readonly Grant[]): Principal {
  return { id: 'alice@corp', kind: 'user', idp: 'corp', roles: [], grants, groups: [], attributes: {}, onBehalfOf: [] };
}

const all = (role: string) => person(everywhere([role]));
const team = (role: string) => person([{ role, scope: TEAM }]);

function settings(sponsor: Principal, objects: Readonly<Record<string, unknown>> = {}, more: Options = {}): Options {
  const prefect = prefectWith({ ...OBJECTS, ...objects }, { status: 201, body: json({ id: RUN, name: 'new' }) });
  return { prefect, onBehalfOf: ['alice@corp'], limitedBy: [sponsor], ...more };
}

const cancel = (id: string) => [`POST /api/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' } }] as const;

describe('a principal that acts for a person with a scope', () => {
  it('changes the objects of the scope, and finds no other', async () => {
    expect(await outcomeOf('operator', ...cancel(RUN), settings(team('operator')))).toMatchObject({ result: 201, arrived: true });
    const { response, arrived, gate } = await outcomeOf('operator', ...cancel(OTHER_RUN), settings(team('operator')));
    expect([response.status, arrived, gate.record().reason]).toEqual([404, false, 'object-foreign']);
    expect(await outcomeOf('operator', ...cancel(OTHER_RUN), settings(all('operator')))).toMatchObject({ result: 201, arrived: true });
  });

  it('changes nothing that the person may not, and says who may not', async () => {
    const { response, result } = await outcomeOf('operator', ...cancel(RUN), settings(all('viewer')));
    expect(result).toBe('policy-default-deny');
    expect(response.body.toString()).toContain('alice@corp (no role), for whom token:operator acts, may not cancel flow runs');
  });

  it('sees of a list only the objects of the scope', async () => {
    const { gate } = await outcomeOf('operator', 'POST /api/flow_runs/filter', {}, settings(team('operator')));
    expect(gate.last()).toEqual({ flow_runs: { tags: { any_: ['team-a'] } } });
    expect((await outcomeOf('operator', 'POST /api/flow_runs/filter', {}, settings(all('operator')))).gate.last()).toEqual({});
    const unlisted = await outcomeOf('operator', 'POST /api/task_workers/filter', {}, settings(team('operator')));
    expect(unlisted).toMatchObject({ result: 'scope-not-filterable', arrived: false });
    expect((await outcomeOf('operator', 'POST /api/task_workers/filter', {}, settings(all('operator')))).result).toBe(200);
  });

  it('changes of many those of the scope, and others use up no limit', async () => {
    const found: NonNullable<Options['prefect']> = (request) => {
      const isScoped = request.body?.includes('team-a') === true;
      const runs = isScoped ? [run(RUN, 'team-a')] : [run(OTHER_RUN, 'team-b'), run(RUN, 'team-a')];
      return request.path === '/api/flow_runs/filter' ? { body: json(runs) } : prefectWith(OBJECTS, { status: 201 })(request);
    };
    const body = { flow_runs: { name: { like_: 'x' } }, limit: 1, state: { type: 'CANCELLED' } };
    const { gate, result } = await outcomeOf('operator', 'POST /api/flow_runs/bulk_set_state', body, settings(team('operator'), {}, { prefect: found }));
    expect([result, gate.last()]).toMatchObject([201, { flow_runs: { id: { any_: [RUN] } } }]);
    const whole = await outcomeOf('operator', 'POST /api/flow_runs/bulk_set_state', body, settings(all('operator'), {}, { prefect: found }));
    expect(whole.gate.last()).toMatchObject({ flow_runs: { id: { any_: [OTHER_RUN] } } });
  });

  it('registers a flow for both, and sees nothing that others wrote on it', async () => {
    const register = async (sponsor: Principal) => {
      const prefect: NonNullable<Options['prefect']> = (request) =>
        request.path === '/api/flows/' ? { body: json(OBJECTS[`GET /api/flows/${FLOW}`]) } : prefectWith(OBJECTS)(request);
      return outcomeOf('deployer', 'POST /api/flows/', { name: 'etl' }, settings(sponsor, {}, { prefect }));
    };
    const { response, gate } = await register(team('deployer'));
    expect([response.status, response.body.toString()]).toEqual([201, expect.not.stringContaining('hidden')]);
    expect([...gate.known]).toEqual([`alice@corp ${FLOW}`]);
    const whole = await register(all('deployer'));
    expect([whole.response.status, whole.response.body.toString(), [...whole.gate.known]]).toEqual([200, expect.stringContaining('hidden'), []]);
  });

  it('gets no run of others by an idempotency key', async () => {
    const replays = (id: string): NonNullable<Options['prefect']> => {
      const rest = prefectWith({ ...OBJECTS, [`GET /api/flow_runs/${id}`]: run(id, id === RUN ? 'team-a' : 'team-b') });
      return (request) => (request.path.endsWith('/create_flow_run') ? { status: 200, body: json({ id, name: 'found' }) } : rest(request));
    };
    const create = async (id: string, sponsor: Principal) =>
      outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, { idempotency_key: 'k' }, settings(sponsor, {}, { prefect: replays(id) }));
    expect((await create(RUN, team('operator'))).result).toBe(200);
    expect((await create(OTHER_RUN, team('operator'))).result).toBe('run-foreign');
    expect((await create(OTHER_RUN, all('operator'))).result).toBe(200);
  });

  it('sets a guarded tag only if the person may', async () => {
    const tagged = { tags: ['team-a', 'team-b'] };
    const guarded = { guarded: ['team-a', 'team-b'] };
    const create = (sponsor: Principal) => outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, tagged, settings(sponsor, {}, guarded));
    expect((await create(team('operator'))).result).toBe('tag-guarded');
    expect((await create(all('operator'))).result).toBe(201);
  });

  it('renews no lease of slots that the person did not take', async () => {
    const renew = async (sponsor: Principal) => {
      const leases = new Map([[LEASE, { id: LEASE, principal: 'token:worker', flowRun: null }]]);
      const gate = startMediator(settings(sponsor, {}, { leases }));
      return (await gate.send({ role: 'worker', path: `/api/v2/concurrency_limits/leases/${LEASE}/renew`, body: { lease_duration: 300 } })).status;
    };
    expect([await renew(team('worker')), await renew(all('worker'))]).toEqual([410, 201]);
  });

  it('names both in the labels of its runs', async () => {
    const { gate } = await outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, {}, settings(team('operator')));
    expect(gate.last()).toMatchObject({ labels: { 'lictor.principal': 'token:operator', 'lictor.on_behalf_of': 'alice@corp' } });
    expect(gate.record()).toMatchObject({ principal: 'token:operator', on_behalf_of: ['alice@corp'] });
  });
});
