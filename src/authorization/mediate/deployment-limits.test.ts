// The concurrency limit that a deployment is linked with: what a write or the deleting of the deployment makes of it.
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, forbid, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const CREATE = 'POST /api/deployments/';
const UPDATE = `PATCH /api/deployments/${DEPLOYMENT}`;
const DELETE = `DELETE /api/deployments/${DEPLOYMENT}`;
const BULK = 'POST /api/deployments/bulk_delete';
const OTHER = '22222222-2222-3333-4444-555555555555';
const made = { name: 'd', flow_id: RUN };
const none = { id: DEPLOYMENT, name: 'd', tags: ['team-a'], work_pool_name: 'p' };
const shared = { ...none, global_concurrency_limit: { id: RUN, name: 'gpu', limit: 2 } };
const own = { ...none, global_concurrency_limit: { id: RUN, name: `deployment:${DEPLOYMENT}`, limit: 2 } };

function having(deployment: object) {
  const limit = { id: RUN, name: 'gpu', limit: 2 };
  return prefectWith(
    {
      [`GET /api/deployments/${DEPLOYMENT}`]: deployment,
      'POST /api/deployments/filter': [deployment],
      [`GET /api/flows/${RUN}`]: { id: RUN, name: 'f' },
      [`GET /api/v2/concurrency_limits/${RUN}`]: limit,
      [`GET /api/v2/concurrency_limits/${OTHER}`]: { ...limit, id: OTHER, name: 'other' },
    },
    { status: 201, body: json({ id: DEPLOYMENT }) },
  );
}
const without = (action: string, limit: string, deployment: object) => ({
  prefect: having(deployment),
  policies: forbid(action, `ConcurrencyLimit::"${limit}"`),
});

describe('a limit that others share', () => {
  it.each([
    ['concurrency.write', RUN, { concurrency_limit: 9 }],
    ['concurrency.delete', RUN, { concurrency_limit: null }],
    ['concurrency.delete', RUN, { concurrency_limit: null, global_concurrency_limit_id: RUN.toUpperCase() }],
    ['concurrency.delete', OTHER, { concurrency_limit: null, global_concurrency_limit_id: OTHER }],
  ])('%s of %s is needed for %j, and for an upsert of that', async (action, limit, change) => {
    for (const [route, body] of [
      [UPDATE, change],
      [CREATE, { ...made, ...change }],
    ] as const) {
      const { result, arrived, gate } = await outcomeOf('deployer', route, body, without(action, limit, shared));
      expect([result, arrived]).toEqual(['policy-forbids', false]);
      expect(gate.record()).toMatchObject({ action, resource_type: 'ConcurrencyLimit', resource_id: limit });
      expect((await outcomeOf('deployer', route, body, { prefect: having(shared) })).result).toBe(201);
    }
  });

  it('the limit that a new deployment is linked with, and null beside it, delete that one', async () => {
    const body = { ...made, concurrency_limit: null, global_concurrency_limit_id: OTHER };
    const there = { ...without('concurrency.delete', OTHER, none), prefect: prefectWith({}, { status: 201 }) };
    expect((await outcomeOf('deployer', CREATE, body, there)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', CREATE, { ...body, concurrency_limit: undefined }, there)).result).toBe(201);
  });

  it.each([DELETE, BULK])('%s deletes it as well', async (route) => {
    const refused = await outcomeOf('deployer', route, undefined, without('concurrency.delete', RUN, shared));
    expect([refused.result, refused.arrived]).toEqual(['policy-forbids', false]);
    expect((await outcomeOf('deployer', route, undefined, { prefect: having(shared) })).result).toBe(201);
  });

  it.each([
    [UPDATE, { concurrency_limit: 9 }],
    [UPDATE, { concurrency_limit: null }],
    [CREATE, { ...made, tags: ['team-a'], concurrency_limit: null }],
    [DELETE, undefined],
    [BULK, {}],
  ])('is for no role whose scope does not cover it: %s %j', async (route, body) => {
    const scope = { tags: ['team-a'] };
    const knows = [`token:deployer ${RUN}`];
    const options = { scope, knows, prefect: having(shared) };
    expect(await outcomeOf('deployer', route, body, options)).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await outcomeOf('deployer', route, body, { ...options, prefect: having(own) })).toMatchObject({ result: 201 });
  });
});

describe('what makes nothing of a shared limit', () => {
  it.each<readonly [string, object, object]>([
    ['the number that it has', shared, { concurrency_limit: 2 }],
    ['leaving it', shared, { concurrency_limit: 5, global_concurrency_limit_id: null }],
    ['another field', shared, { description: 'x' }],
    ["a deployment's own", own, { concurrency_limit: 5 }],
    ["no more of a deployment's own", own, { concurrency_limit: null }],
    ['the first one', none, { concurrency_limit: 5 }],
    ['none as before', none, { concurrency_limit: null }],
  ])('%s', async (_, deployment, change) => {
    for (const action of ['concurrency.write', 'concurrency.delete']) {
      expect((await outcomeOf('deployer', UPDATE, change, without(action, RUN, deployment))).result).toBe(201);
    }
  });

  it.each([DELETE, BULK])('%s with an own limit, or with none', async (route) => {
    for (const deployment of [own, none]) {
      expect((await outcomeOf('deployer', route, undefined, without('concurrency.delete', RUN, deployment))).result).toBe(201);
    }
  });
});
