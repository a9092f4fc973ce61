// Roles that hold on some objects only, on requests whose body decides: every allow with the same thing of another team.
import { describe, expect, it } from 'vitest';
import { everywhere, NOWHERE, type Scope } from '../../contract/scope.ts';
import { DEPLOYMENT, forbid, json, type Options, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const OTHER = 'bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee';
const OTHER_RUN = '22222222-2222-3333-4444-555555555555';
const FLOW = 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee';
const TASK = '33333333-2222-3333-4444-555555555555';
const OTHER_TASK = '44444444-2222-3333-4444-555555555555';

const run = (id: string, tags: readonly string[], more = {}) => ({ id, tags, flow_id: FLOW, deployment_id: null, labels: {}, ...more });
const deployment = (id: string, name: string, tags: readonly string[], pool: string) => ({ id, name, flow_id: FLOW, tags, work_pool_name: pool });
const ours = deployment(DEPLOYMENT, 'ours', ['team-a'], 'pool-a');
const theirs = deployment(OTHER, 'theirs', ['team-b'], 'pool-b');

const OBJECTS = {
  [`GET /api/flows/${FLOW}`]: { id: FLOW, name: 'etl' },
  [`GET /api/deployments/${DEPLOYMENT}`]: ours,
  [`GET /api/deployments/${OTHER}`]: theirs,
  [`GET /api/flow_runs/${RUN}`]: run(RUN, ['team-a']),
  [`GET /api/flow_runs/${OTHER_RUN}`]: run(OTHER_RUN, ['team-b']),
  [`GET /api/task_runs/${TASK}`]: { id: TASK, flow_run_id: RUN },
  [`GET /api/task_runs/${OTHER_TASK}`]: { id: OTHER_TASK, flow_run_id: OTHER_RUN },
  'GET /api/variables/name/a_x': { id: RUN, name: 'a_x', tags: [] },
  'GET /api/variables/name/b_x': { id: OTHER_RUN, name: 'b_x', tags: [] },
  'GET /api/v2/concurrency_limits/ours': { id: RUN, name: 'ours' },
  'GET /api/v2/concurrency_limits/theirs': { id: OTHER, name: 'theirs' },
};

const TEAM: Partial<Scope> = { tags: ['team-a'] };
const POOL: Partial<Scope> = { tags: ['team-a'], workPools: ['pool-a'] };

function as(role: string, scope: Partial<Scope>, objects: Readonly<Record<string, unknown>> = OBJECTS) {
  const options: Options = { scope, knows: [`token:${role} ${FLOW}`], prefect: prefectWith(objects, { status: 201, body: json({ id: RUN, name: 'new' }) }) };
  return (route: string, body?: unknown) => outcomeOf(role, route, body, options);
}

describe('an operator of a tag', () => {
  const send = as('operator', TEAM);

  it.each([
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run`, {}, `POST /api/deployments/${OTHER}/create_flow_run`, {}],
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, [{}], `POST /api/deployments/${OTHER}/create_flow_run/bulk`, [{}]],
    [
      `POST /api/flow_runs/${RUN}/set_state`,
      { state: { type: 'CANCELLING' } },
      `POST /api/flow_runs/${OTHER_RUN}/set_state`,
      { state: { type: 'CANCELLING' } },
    ],
    [`POST /api/flow_runs/${RUN}/resume`, {}, `POST /api/flow_runs/${OTHER_RUN}/resume`, {}],
    [`POST /api/deployments/${DEPLOYMENT}/schedule`, {}, `POST /api/deployments/${OTHER}/schedule`, {}],
  ])('may %s, and of another team there is none', async (route, body, foreign, same) => {
    expect(await send(route, body)).toMatchObject({ result: 201, arrived: true });
    const { response, arrived, gate } = await send(foreign, same);
    expect([response.status, arrived]).toEqual([404, false]);
    expect(gate.record()).toMatchObject({ decision: 'deny', reason: 'object-foreign' });
    const absent = await send(foreign.replace(/[0-9a-f]{8}-[-0-9a-f]{27}/, TASK), same);
    expect(absent.response.body.toString()).toBe(response.body.toString().replaceAll(/[0-9a-f]{8}-[-0-9a-f]{27}/g, TASK));
  });

  it('learns that a role does not cover the object, if it may read everything', async () => {
    const policies = '@id("all-read") permit (principal, action in [Action::"read"], resource);';
    const options: Options = { scope: TEAM, policies, prefect: prefectWith(OBJECTS) };
    const { result, arrived } = await outcomeOf('operator', `POST /api/flow_runs/${OTHER_RUN}/set_state`, { state: { type: 'CANCELLING' } }, options);
    expect([result, arrived]).toEqual(['scope-excludes', false]);
  });

  it('changes those of many that are its own', async () => {
    const found = { 'POST /api/flow_runs/filter': [run(RUN, ['team-a']), run(OTHER_RUN, ['team-b'])] };
    const { gate, result } = await as('operator', TEAM, { ...OBJECTS, ...found })('POST /api/flow_runs/bulk_set_state', {
      flow_runs: {},
      state: { type: 'CANCELLING' },
    });
    expect(result).toBe(201);
    expect(gate.last()).toMatchObject({ flow_runs: { id: { any_: [RUN] } } });
    const none = await as('operator', TEAM, { ...OBJECTS, 'POST /api/flow_runs/filter': [run(OTHER_RUN, ['team-b'])] })('POST /api/flow_runs/bulk_set_state', {
      flow_runs: {},
      state: { type: 'CANCELLING' },
    });
    expect(none.gate.last()).toMatchObject({ flow_runs: { id: { any_: [] } } });
  });

  it('does not learn of others by how many of many are left: what it cannot reach uses up no limit and is counted nowhere', async () => {
    const many = '/api/flow_runs/bulk_set_state';
    const answered = (visibleIds: readonly unknown[]): NonNullable<Options['prefect']> => {
      const rest = prefectWith({ ...OBJECTS, 'POST /api/ui/flow_runs/history': visibleIds }, { status: 201 });
      return (request) => {
        const isScoped = request.body?.includes('team-a') === true;
        return request.path === '/api/flow_runs/filter' ? { body: json(isScoped ? visibleIds : [run(OTHER_RUN, ['team-b']), ...visibleIds]) } : rest(request);
      };
    };
    const send = async (filter: object, limit: number) => {
      const options: Options = { scope: TEAM, prefect: answered([run(RUN, ['team-a'])]) };
      return outcomeOf('operator', `POST ${many}`, { flow_runs: filter, limit, state: { type: 'CANCELLED' } }, options);
    };
    for (const filter of [{}, { name: { like_: 'x' } }, { id: { any_: [OTHER_RUN, RUN] } }]) {
      const { gate, result } = await send(filter, 1);
      expect(result).toBe(201);
      expect(gate.last()).toMatchObject({ flow_runs: { id: { any_: [RUN] } } });
    }
    expect(await send({ operator: 'or_', name: { like_: 'x' }, id: { any_: [RUN] } }, 1)).toMatchObject({ result: 'scope-filter', arrived: false });
    expect(await send({ created_by: { id_: [RUN] } }, 1)).toMatchObject({ result: 'filter-hidden', arrived: false });
  });

  describe('with a second role', () => {
    const found: NonNullable<Options['prefect']> = (request) => {
      const isForAll = request.body?.includes('team-b') === true || request.body?.includes('team-a') !== true;
      const runs = [...(isForAll ? [run(OTHER_RUN, ['team-b'])] : []), run(RUN, ['team-a'])];
      return request.path === '/api/flow_runs/filter' ? { body: json(runs) } : prefectWith(OBJECTS, { status: 201 })(request);
    };
    const cancelOne = async (beside: NonNullable<Options['beside']>) => {
      const body = { flow_runs: { name: { like_: 'x' } }, limit: 1, state: { type: 'CANCELLED' } };
      const { gate, result } = await outcomeOf('operator', 'POST /api/flow_runs/bulk_set_state', body, { scope: TEAM, beside, prefect: found });
      return { result, last: gate.last() };
    };
    const onTeamB = (role: string) => [{ role, scope: { ...NOWHERE, tags: ['team-b'] } }];

    it.each([
      ['that reads no runs, on everything', everywhere(['auditor'])],
      ['that reads no runs, on another team', onTeamB('auditor')],
    ])('%s: runs of others use up no limit', async (_what, beside) => {
      expect(await cancelOne(beside)).toMatchObject({ result: 201, last: { flow_runs: { id: { any_: [RUN] } } } });
    });

    it('a role that may cancel runs and read none finds none by a filter', async () => {
      const policies =
        '@id("cancels") permit (principal in Role::"auditor", action in [Action::"flow_runs.cancel", Action::"flow_runs.set_state.bulk"], resource);';
      const body = { flow_runs: { name: { like_: 'x' } }, limit: 2, state: { type: 'CANCELLED' } };
      const { gate, result } = await outcomeOf('auditor', 'POST /api/flow_runs/bulk_set_state', body, { scope: TEAM, policies, prefect: found });
      expect(result).toBe(201);
      expect(gate.last()).toMatchObject({ flow_runs: { id: { any_: [] } } });
    });

    it('twin: what it may read by that role counts, and is not changed', async () => {
      expect(await cancelOne(everywhere(['viewer']))).toMatchObject({ result: 201, last: { flow_runs: { id: { any_: [] } } } });
      expect(await cancelOne(onTeamB('viewer'))).toMatchObject({ result: 'bulk-item-forbidden' });
    });
  });

  it('learns only about its own objects when it may not change some of many', async () => {
    const found = { ...OBJECTS, 'POST /api/flow_runs/filter': [run(RUN, ['team-a']), run(OTHER_RUN, ['team-b'])] };
    const options: Options = { scope: TEAM, prefect: prefectWith(found, { status: 201 }), policies: forbid('flow_runs.cancel', `FlowRun::"${RUN}"`) };
    const { response, result } = await outcomeOf('operator', 'POST /api/flow_runs/bulk_set_state', { flow_runs: {}, state: { type: 'CANCELLED' } }, options);
    expect([result, response.body.toString()]).toEqual(['bulk-item-forbidden', expect.stringContaining('1 of the 1 flow runs')]);
  });

  it('gets no list without an entry in the table', async () => {
    for (const route of ['GET /api/observed-states', 'POST /api/task_workers/filter']) {
      expect(await send(route, route.startsWith('POST') ? {} : undefined)).toMatchObject({ result: 'scope-not-filterable', arrived: false });
    }
    expect(await send('GET /api/collections/views/aggregate-worker-metadata')).toMatchObject({ response: { status: 404 } });
  });

  it.each([
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run`, (run: object) => run],
    [`POST /api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, (run: object) => [{}, run]],
  ])('%s starts no sub-flow under a task of another team, whose state it would be', async (route, bodyOf) => {
    const deploying = as('deployer', TEAM);
    expect(await deploying(route, bodyOf({ parent_task_run_id: TASK }))).toMatchObject({ result: 201, arrived: true });
    expect(await send(route, bodyOf({ parent_task_run_id: TASK }))).toMatchObject({ result: 'policy-default-deny', arrived: false });
    for (const parent of [OTHER_TASK, OTHER_TASK.toUpperCase(), OTHER_TASK.replaceAll('-', ''), `{${OTHER_TASK}}`, FLOW, 7]) {
      for (const sender of [send, deploying]) {
        expect(await sender(route, bodyOf({ parent_task_run_id: parent }))).toMatchObject({ result: 'scope-excludes', arrived: false });
      }
    }
  });

  it('needs the variable that a parameter is made from', async () => {
    const scope = { ...TEAM, variables: ['a_*'] };
    const parameters = (name: string) => ({ parameters: { x: { __prefect_kind: 'workspace_variable', variable_name: name } } });
    const route = `POST /api/deployments/${DEPLOYMENT}/create_flow_run`;
    expect(await as('operator', scope)(route, parameters('a_x'))).toMatchObject({ result: 201 });
    expect(await as('operator', scope)(route, parameters('b_x'))).toMatchObject({ result: 'scope-excludes', arrived: false });
  });
});

describe('a deployer of a tag and a pool', () => {
  const send = as('deployer', POOL);
  const body = { flow_id: FLOW, name: 'new', tags: ['team-a'], work_pool_name: 'pool-a' };

  it.each([
    ['as it should be', {}, 201],
    ['without its tag', { tags: [] }, 'scope-excludes'],
    ["with another team's tag", { tags: ['team-b'] }, 'scope-excludes'],
    ['into another pool', { work_pool_name: 'pool-b' }, 'scope-excludes'],
    ['into no pool', { work_pool_name: null }, 'scope-excludes'],
  ])('creates a deployment %s', async (_, more, expected) => {
    expect(await send('POST /api/deployments/', { ...body, ...more })).toMatchObject({ result: expected, arrived: expected === 201 });
  });

  it('takes over no deployment of another team by its name, and loses none', async () => {
    const found = (object: unknown) => as('deployer', POOL, { ...OBJECTS, 'POST /api/deployments/filter': [object] });
    expect(await found(ours)('POST /api/deployments/', { ...body, name: 'ours' })).toMatchObject({ result: 201 });
    expect(await found(theirs)('POST /api/deployments/', { ...body, name: 'theirs' })).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await found(ours)('POST /api/deployments/', { flow_id: FLOW, name: 'ours' })).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it.each([
    [{ description: 'x' }, 201],
    [{ tags: ['team-a', 'nightly'] }, 201],
    [{ tags: ['team-b'] }, 'scope-excludes'],
    [{ work_pool_name: 'pool-b' }, 'scope-excludes'],
    [{ paused: true }, 201],
  ])('changes its own by %j', async (change, expected) => {
    expect(await send(`PATCH /api/deployments/${DEPLOYMENT}`, change)).toMatchObject({ result: expected });
    expect((await send(`PATCH /api/deployments/${OTHER}`, change)).response).toMatchObject({ status: 404 });
  });

  it('retags no run out of what is its own, and none into it', async () => {
    const { pool: _, ...plain } = { pool: 1 };
    expect(plain).toEqual({});
    const tagged = as('deployer', TEAM);
    expect(await tagged(`PATCH /api/flow_runs/${RUN}`, { tags: ['team-a', 'x'] })).toMatchObject({ result: 201 });
    expect(await tagged(`PATCH /api/flow_runs/${RUN}`, { tags: ['team-b'] })).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect((await tagged(`PATCH /api/flow_runs/${OTHER_RUN}`, { tags: ['team-a'] })).response.status).toBe(404);
  });

  it('notes who has made what', async () => {
    const { gate } = await send('POST /api/deployments/', body);
    expect(gate.made).toEqual([`token:deployer Deployment ${RUN}`]);
  });
});

describe('a run that is made directly', () => {
  const send = as('deployer', TEAM);
  it.each([
    ['of its own tag', { flow_id: FLOW, tags: ['team-a'] }, 201],
    ['of no tag', { flow_id: FLOW }, 'scope-excludes'],
    ['of a foreign deployment', { flow_id: FLOW, tags: ['team-a'], deployment_id: OTHER }, 'scope-excludes'],
    ['of its own deployment', { flow_id: FLOW, tags: ['team-a'], deployment_id: DEPLOYMENT }, 201],
    ['of its own deployment, with foreign tags', { flow_id: FLOW, tags: ['team-b'], deployment_id: DEPLOYMENT }, 'scope-excludes'],
    ['under its own task', { flow_id: FLOW, tags: ['team-a'], parent_task_run_id: TASK }, 201],
    ["under another team's task", { flow_id: FLOW, tags: ['team-a'], parent_task_run_id: OTHER_TASK }, 'scope-excludes'],
  ])('%s', async (_, body, expected) => {
    expect(await send('POST /api/flow_runs/', body)).toMatchObject({ result: expected, arrived: expected === 201 });
  });
});

describe('an idempotency key of another team', () => {
  const replay = (id: string): Options => ({
    scope: TEAM,
    knows: [`token:deployer ${FLOW}`],
    prefect: (request) => (request.method === 'POST' ? { status: 200, body: json({ id, parameters: { secret: 1 } }) } : (prefectWith(OBJECTS)(request) ?? {})),
  });
  it.each([
    ['operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, { idempotency_key: 'k' }],
    ['deployer', 'POST /api/flow_runs/', { flow_id: FLOW, tags: ['team-a'], idempotency_key: 'k' }],
  ])('%s by %s gets its own run back, and no foreign one', async (role, route, body) => {
    expect(await outcomeOf(role, route, body, replay(RUN))).toMatchObject({ result: 200 });
    const { gate, response, result } = await outcomeOf(role, route, body, replay(OTHER_RUN));
    expect([result, response.body.includes(OTHER_RUN), JSON.stringify(gate.record()).includes(OTHER_RUN)]).toEqual(['run-foreign', false, false]);
  });
});

describe('a worker of a tag writes', () => {
  const send = as('worker', { ...TEAM, concurrencyLimits: ['ours'] });
  const event = (resource: string, more = {}) => [
    { id: TASK, occurred: '2026-03-01T12:00:00Z', event: 'order.created', resource: { 'prefect.resource.id': resource }, ...more },
  ];
  const taskEvent = (task: string, flowRun: string) => ({
    ...event(`prefect.task-run.${task}`, { related: [{ 'prefect.resource.id': `prefect.flow-run.${flowRun}`, 'prefect.resource.role': 'flow-run' }] })[0],
  });
  it.each([
    ['logs', 'POST /api/logs/', [{ flow_run_id: RUN }, { flow_run_id: RUN, task_run_id: TASK }], [{ flow_run_id: RUN }, { flow_run_id: OTHER_RUN }]],
    ['logs of a task', 'POST /api/logs/', [{ task_run_id: TASK }], [{ flow_run_id: RUN, task_run_id: OTHER_TASK }]],
    ['an artifact', 'POST /api/artifacts/', { key: 'x', flow_run_id: RUN }, { key: 'x', flow_run_id: OTHER_RUN }],
    ['a task run', 'POST /api/task_runs/', { flow_run_id: RUN, task_key: 'x' }, { flow_run_id: OTHER_RUN, task_key: 'x' }],
    ['slots', 'POST /api/v2/concurrency_limits/increment', { names: ['ours', 'tag:nobodys'], slots: 1 }, { names: ['ours', 'theirs'], slots: 1 }],
    ['events about runs', 'POST /api/events', event(`prefect.flow-run.${RUN}`), event(`prefect.flow-run.${OTHER_RUN}`)],
    ['events about tasks', 'POST /api/events', [taskEvent(TASK, RUN)], [taskEvent(OTHER_TASK, RUN)]],
    ['events about anything else', 'POST /api/events', event('order.1'), event(`prefect.deployment.${OTHER}`)],
  ])('%s of its own, and of no other team', async (_, route, own, foreign) => {
    expect(await send(route, own)).toMatchObject({ result: 201, arrived: true });
    expect(await send(route, foreign)).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it("no event of the own run with another team's task in a spelling of Prefect's", async () => {
    const odd = taskEvent(`{${OTHER_TASK}}`, RUN);
    expect(await send('POST /api/events', [odd])).toMatchObject({ arrived: false });
    const related = [{ 'prefect.resource.id': `prefect.flow-run.${RUN}` }, { 'prefect.resource.id': `prefect.task-run.{${OTHER_TASK}}` }];
    expect(await send('POST /api/events', event('order.1', { related }))).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it.each([
    ['variable', { [`GET /api/variables/${RUN}`]: { id: RUN, name: 'a_x' }, [`GET /api/variables/${OTHER}`]: { id: OTHER, name: 'b_x' } }],
    ['block-document', { [`GET /api/block_documents/${RUN}`]: { id: RUN, name: 'a-x' }, [`GET /api/block_documents/${OTHER}`]: { id: OTHER, name: 'b-x' } }],
    ['automation', { [`GET /api/automations/${RUN}`]: { id: RUN, name: 'a-x' }, [`GET /api/automations/${OTHER}`]: { id: OTHER, name: 'b-x' } }],
    ['concurrency-limit', { [`GET /api/v2/concurrency_limits/${RUN}`]: { id: RUN, name: 'ours' }, [`GET /api/v2/concurrency_limits/${OTHER}`]: { name: 'x' } }],
    ['concurrency-limit.v1', { [`GET /api/v2/concurrency_limits/${RUN}`]: { name: 'tag:ours' }, [`GET /api/v2/concurrency_limits/${OTHER}`]: { name: 'x' } }],
    ['work-queue', { [`GET /api/work_queues/${RUN}`]: { work_pool_name: 'pool-a' }, [`GET /api/work_queues/${OTHER}`]: { work_pool_name: 'pool-b' } }],
    ['flow', { [`GET /api/flows/${RUN}`]: { name: 'a-x' }, [`GET /api/flows/${OTHER}`]: { name: 'b-x' } }],
  ])('events about a %s that is its own, and about no other', async (kind, objects) => {
    const alone: Readonly<Record<string, Partial<Scope>>> = {
      variable: { variables: ['a_*'] },
      'block-document': { blocks: ['a-*'] },
      automation: { automations: ['a-*'] },
      'work-queue': { workPools: ['pool-a'] },
      flow: { flows: ['a-*'] },
    };
    const tell = as('worker', alone[kind] ?? { concurrencyLimits: ['ours'] }, objects);
    expect(await tell('POST /api/events', event(`prefect.${kind}.${RUN}`))).toMatchObject({ result: 201, arrived: true });
    expect(await tell('POST /api/events', event(`prefect.${kind}.${OTHER}`))).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it('events about the pool that it works for, which they name by its id', async () => {
    const pools = { [RUN]: 'pool-a', [OTHER]: 'pool-b' };
    const prefect: Options['prefect'] = ({ path, body }) => {
      const asked = Object.entries(pools).find(([id]) => body?.toString().includes(id));
      return path.endsWith('/filter') ? { body: json(asked === undefined ? [] : [{ id: asked[0], name: asked[1] }]) } : { status: 201 };
    };
    const tell = (id: string) =>
      outcomeOf('worker', 'POST /api/events', event('prefect.worker.process.w', { related: [{ 'prefect.resource.id': `prefect.work-pool.${id}` }] }), {
        scope: { workPools: ['pool-a'] },
        prefect,
      });
    expect(await tell(RUN)).toMatchObject({ result: 201 });
    expect(await tell(OTHER)).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await tell(TASK)).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it('no event of the own run with the task of another in its payload', async () => {
    const body = event(`prefect.flow-run.${RUN}`, { payload: { task_run: { id: OTHER_TASK } } });
    expect(await send('POST /api/events', body)).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it('polls its own deployments alone', async () => {
    const poll = as('deployer', TEAM);
    const route = 'POST /api/deployments/get_scheduled_flow_runs';
    expect(await poll(route, { deployment_ids: [DEPLOYMENT] })).toMatchObject({ result: 201 });
    expect(await poll(route, { deployment_ids: [DEPLOYMENT, OTHER] })).toMatchObject({ result: 'scope-excludes', arrived: false });
  });
});

describe('a limit of a tag beside a limit of the same name', () => {
  // Who has made the one has not made the other: only `own` distinguishes them.
  const MINE = RUN;
  const objects = { 'GET /api/v2/concurrency_limits/db': { id: MINE, name: 'db' }, 'GET /api/concurrency_limits/tag/db': { id: OTHER, tag: 'db' } };
  const send = (role: string, route: string, body: unknown, made: readonly string[]) => {
    const makerOf = async (_type: string, id: string) => (made.includes(id) ? `token:${role}` : 'token:other');
    return outcomeOf(role, route, body, { scope: { own: true }, prefect: prefectWith(objects, { status: 201 }), makerOf });
  };
  it.each([
    ['deployer', 'DELETE /api/concurrency_limits/tag/db', undefined],
    ['deployer', 'POST /api/concurrency_limits/tag/db/reset', {}],
    ['deployer', 'POST /api/concurrency_limits/', { tag: 'db', concurrency_limit: 9 }],
    ['worker', 'POST /api/concurrency_limits/increment', { names: ['db'], task_run_id: TASK }],
    ['worker', 'POST /api/concurrency_limits/decrement', { names: ['db'], task_run_id: TASK }],
  ])('%s: %s is about the one of the tag', async (role, route, body) => {
    expect(await send(role, route, body, [OTHER])).toMatchObject({ arrived: true });
    expect(await send(role, route, body, [MINE])).toMatchObject({ arrived: false });
  });

  it('a limit of a tag that nobody has is made', async () => {
    expect(await send('deployer', 'POST /api/concurrency_limits/', { tag: 'new', concurrency_limit: 1 }, [])).toMatchObject({ result: 201 });
  });
});

describe('a limit whose name reads as an id', () => {
  // Prefect takes slots by names alone, and asked for this one it answers with the limit of this id.
  const take = (name: string, scope: Partial<Scope> = { concurrencyLimits: ['ours', 'a-*', RUN] }) =>
    as('worker', scope)('POST /api/v2/concurrency_limits/increment', { names: [name], slots: 1 });

  it.each([OTHER, OTHER.toUpperCase(), OTHER.replaceAll('-', ''), `{${OTHER}}`, `urn:uuid:${OTHER}`, OTHER.replaceAll('-', '').replace('bbbb', 'b_bb')])(
    '%s is decided on by that name',
    async (name) => {
      expect(await take(name)).toMatchObject({ result: 'scope-excludes', arrived: false });
      expect(await take(name, { own: true })).toMatchObject({ result: 'scope-excludes', arrived: false });
    },
  );

  it('twin: the name is inside, or reads as none; another that is not there is nothing', async () => {
    for (const name of [RUN, 'ours', 'nobodys', 'nobodys-name-of-thirty-two-letters']) expect(await take(name)).toMatchObject({ result: 201 });
    expect(await take('theirs')).toMatchObject({ result: 'scope-excludes' });
  });
});

describe('configuration by name', () => {
  const send = as('deployer', { variables: ['a_*'], blocks: ['a-*'], automations: ['a-*'], concurrencyLimits: ['ours', 'a-*'] });
  it.each([
    ['POST /api/variables/', { name: 'a_new', value: 1 }, { name: 'b_new', value: 1 }],
    ['POST /api/block_documents/', { name: 'a-x', data: {} }, { name: 'b-x', data: {} }],
    ['POST /api/automations/', { name: 'a-x', actions: [] }, { name: 'b-x', actions: [] }],
    ['POST /api/v2/concurrency_limits/', { name: 'a-x', limit: 1 }, { name: 'b-x', limit: 1 }],
    ['PATCH /api/v2/concurrency_limits/ours', { name: 'a-y' }, { name: 'b-y' }],
    ['PATCH /api/variables/name/a_x', { name: 'a_y' }, { name: 'b_y' }],
  ])('%s with an own name, and with no other', async (route, own, foreign) => {
    expect(await send(route, own)).toMatchObject({ result: 201 });
    expect(await send(route, foreign)).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it.each(['DELETE /api/variables/name/b_x', 'PATCH /api/variables/name/b_x', 'PATCH /api/v2/concurrency_limits/theirs'])(
    '%s is as if there were none',
    async (route) => {
      const { response, arrived } = await send(route, route.startsWith('PATCH') ? { limit: 1 } : undefined);
      expect([response.status, arrived]).toEqual([404, false]);
    },
  );

  it('an automation only for what it may do itself', async () => {
    const scope = { ...TEAM, automations: ['a-*'] };
    const body = (id: string) => ({ name: 'a-x', actions: [{ type: 'run-deployment', deployment_id: id }] });
    expect(await as('deployer', scope)('POST /api/automations/', body(DEPLOYMENT))).toMatchObject({ result: 201 });
    expect(await as('deployer', scope)('POST /api/automations/', body(OTHER))).toMatchObject({ result: 'automation-exceeds-rights', arrived: false });
    // A template sees the event that triggers it, and the run of that event: anybody's.
    const templated = (text: string) => ({ name: 'a-x', actions: [{ type: 'run-deployment', deployment_id: DEPLOYMENT, parameters: { x: [text] } }] });
    expect(await as('deployer', scope)('POST /api/automations/', templated('plain'))).toMatchObject({ result: 201 });
    for (const text of ['{{ flow_run.parameters }}', '{% for x in event.related %}{{ x }}{% endfor %}']) {
      expect(await as('deployer', scope)('POST /api/automations/', templated(text))).toMatchObject({ result: 'scope-not-filterable', arrived: false });
      expect(await outcomeOf('deployer', 'POST /api/automations/', templated(text))).toMatchObject({ result: 201 });
    }
    const listens = (match: unknown) => ({ name: 'a-x', trigger: { type: 'event', expect: ['x'], match }, actions: [] });
    const to = (id: string) => ({ 'prefect.resource.id': `prefect.deployment.${id}` });
    expect(await as('deployer', scope)('POST /api/automations/', listens(to(DEPLOYMENT)))).toMatchObject({ result: 201 });
    expect(await as('deployer', scope)('POST /api/automations/', listens(to(OTHER)))).toMatchObject({ result: 'scope-excludes', arrived: false });
    for (const wide of [{}, { 'prefect.resource.id': 'prefect.flow-run.*' }, to('*'), { 'prefect.resource.id': [] }]) {
      expect(await as('deployer', scope)('POST /api/automations/', listens(wide))).toMatchObject({ result: 'scope-not-filterable', arrived: false });
      expect(await outcomeOf('deployer', 'POST /api/automations/', listens(wide))).toMatchObject({ result: 201 });
    }
    const bound = { type: 'event', expect: ['x'], match: to(DEPLOYMENT) };
    const trigger = (more: object) => ({ name: 'a-x', trigger: more, actions: [] });
    for (const type of ['compound', 'sequence']) {
      expect(await as('deployer', scope)('POST /api/automations/', trigger({ type, triggers: [bound, bound] }))).toMatchObject({ result: 201 });
      expect((await as('deployer', scope)('POST /api/automations/', trigger({ type, triggers: [bound, { ...bound, match: {} }] }))).arrived).toBe(false);
    }
    // Prefect does not mind a field that its triggers do not have.
    for (const more of [{ triggers: [] }, { triggers: [bound] }, { type: undefined, triggers: [bound] }]) {
      expect((await as('deployer', scope)('POST /api/automations/', trigger({ ...bound, match: {}, ...more }))).arrived).toBe(false);
    }
    const onAnyRun = { name: 'a-x', actions: [{ type: 'cancel-flow-run' }] };
    expect(await as('deployer', scope)('POST /api/automations/', onAnyRun)).toMatchObject({ result: 'scope-not-filterable', arrived: false });
  });
});

describe('flows that many match', () => {
  const listed = (tags: readonly string[]) => ({
    ...OBJECTS,
    'POST /api/flows/filter': [{ id: FLOW, name: 'etl' }],
    'POST /api/deployments/filter': tags.map((tag) => deployment(tag === 'team-a' ? DEPLOYMENT : OTHER, tag, [tag], 'pool-a')),
    'POST /api/flow_runs/filter': [],
  });
  const send = (tags: readonly string[]) => as('deployer', TEAM, listed(tags))('POST /api/flows/bulk_delete', { flows: { name: { like_: 'e' } } });

  it('are deleted when all of their uses are inside; of others there are none', async () => {
    const own = await send(['team-a']);
    expect([own.result, own.gate.last()]).toMatchObject([201, { flows: { id: { any_: [FLOW] } } }]);
    for (const tags of [['team-b'], ['team-a', 'team-b']]) {
      const { result, gate } = await send(tags);
      expect([result, gate.last()], String(tags)).toMatchObject([201, { flows: { id: { any_: [] } } }]);
    }
  });
});

describe('a variable that only the gateway sets', () => {
  const env = (key: string) => ({ env: { PREFECT_API_KEY: key } });
  const template = (key: string) => ({ base_job_template: { job_configuration: env(key) } });
  const pools = { ...OBJECTS, 'GET /api/work_pools/pool-a': { name: 'pool-a' }, 'GET /api/work_pools/pool-b': { name: 'pool-b', ...template('theirs') } };

  it('reveals by no refusal the template of a foreign pool', async () => {
    for (const key of ['theirs', 'guessed']) {
      const { response, arrived } = await as('deployer', POOL, pools)('PATCH /api/work_pools/pool-b', template(key));
      expect([response.status, arrived]).toEqual([404, false]);
      expect(await as('deployer', POOL, pools)('PATCH /api/work_pools/pool-a', template(key))).toMatchObject({ result: 'env-reserved', arrived: false });
    }
  });

  it('nor what a foreign deployment has, of which flow and name are given', async () => {
    const upsert = (found: object, key: string) =>
      as('deployer', POOL, { ...OBJECTS, 'POST /api/deployments/filter': [{ ...found, job_variables: env('theirs') }] })('POST /api/deployments/', {
        name: 'd',
        flow_id: FLOW,
        tags: ['team-a'],
        work_pool_name: 'pool-a',
        job_variables: env(key),
      });
    for (const key of ['theirs', 'guessed']) expect(await upsert(theirs, key)).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await upsert(ours, 'guessed')).toMatchObject({ result: 'env-reserved', arrived: false });
    expect(await upsert(ours, 'theirs')).toMatchObject({ result: 201 });
  });
});

describe('the storage of the results of a pool', () => {
  const send = (id: string) =>
    as(
      'deployer',
      { workPools: ['pool-a'], blocks: ['a-*'] },
      { ...OBJECTS, [`GET /api/block_documents/${RUN}`]: { id: RUN, name: 'a-x' }, [`GET /api/block_documents/${OTHER}`]: { id: OTHER, name: 'b-x' } },
    )('PATCH /api/work_pools/pool-a', { storage_configuration: { default_result_storage_block_id: id } });

  it('is an own block, and no other', async () => {
    expect(await send(RUN)).toMatchObject({ result: 201 });
    expect(await send(OTHER)).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await send('no id')).toMatchObject({ arrived: false });
  });
});

describe('switching an automation on', () => {
  const scope = { ...TEAM, automations: ['a-*'] };
  const ONE = `/api/automations/${RUN}`;
  const stored = (more: object) => ({ ...OBJECTS, [`GET ${ONE}`]: { id: RUN, name: 'a-x', actions: [], ...more } });
  const listening = (match: unknown) => stored({ trigger: { type: 'event', expect: ['x'], match } });
  const to = (id: string) => ({ 'prefect.resource.id': `prefect.deployment.${id}` });
  const send = (objects: object, enabled: unknown) => as('deployer', scope, { ...objects })(`PATCH ${ONE}`, { enabled });

  it('is held against what it listens to and does, as writing it is; switching off against what it does', async () => {
    for (const on of [true, 'yes', 1]) {
      expect(await send(listening(to(DEPLOYMENT)), on)).toMatchObject({ result: 201 });
      expect(await send(listening(to(OTHER)), on)).toMatchObject({ result: 'scope-excludes', arrived: false });
      expect(await send(listening({}), on)).toMatchObject({ result: 'scope-not-filterable', arrived: false });
    }
    expect(await send(listening({}), false)).toMatchObject({ result: 201 });
    expect(await send(stored({ actions: [{ type: 'run-deployment', deployment_id: OTHER }] }), true)).toMatchObject({ result: 'automation-exceeds-rights' });
    expect(await as('deployer', scope, stored({ name: 'b-x' }))(`PATCH ${ONE}`, { enabled: true })).toMatchObject({ response: { status: 404 } });
  });

  it('twin: a principal with the role on everything switches on an automation that listens to everything', async () => {
    expect(await outcomeOf('deployer', `PATCH ${ONE}`, { enabled: true }, { prefect: prefectWith(listening({}), { status: 204 }) })).toMatchObject({
      result: 204,
    });
  });

  it('is denied if its actions replace the token of their runs; switching off is allowed', async () => {
    const env = { job_variables: { env: { PREFECT_API_URL: 'x' } } };
    const objects = stored({ actions: [{ type: 'run-deployment', deployment_id: DEPLOYMENT, ...env }] });
    for (const [enabled, result] of [
      [true, 'env-reserved'],
      [false, 204],
    ] as const)
      expect(await outcomeOf('admin', `PATCH ${ONE}`, { enabled }, { prefect: prefectWith(objects, { status: 204 }) })).toMatchObject({ result });
  });

  it('by another automation is the same', async () => {
    const resume = { name: 'a-y', actions: [{ type: 'resume-automation', automation_id: RUN }] };
    expect(await as('deployer', scope, listening(to(DEPLOYMENT)))('POST /api/automations/', resume)).toMatchObject({ result: 201 });
    expect(await as('deployer', scope, listening({}))('POST /api/automations/', resume)).toMatchObject({ result: 'scope-not-filterable', arrived: false });
  });
});

describe('a flow, which teams share by its name', () => {
  const listed = (runs: readonly unknown[]) => ({ ...OBJECTS, 'POST /api/deployments/filter': [], 'POST /api/flow_runs/filter': runs });
  const own = listed([run(RUN, ['team-a'])]);
  const shared = listed([run(RUN, ['team-a']), run(OTHER_RUN, ['team-b'])]);
  const routes: [string, unknown][] = [
    [`DELETE /api/flows/${FLOW}`, undefined],
    [`PATCH /api/flows/${FLOW}`, { tags: [] }],
  ];

  it.each(routes)('%s takes a scope that has all of its uses', async (route, body) => {
    expect(await as('deployer', TEAM, own)(route, body)).toMatchObject({ result: 201 });
    expect(await as('deployer', TEAM, shared)(route, body)).toMatchObject({ result: 'scope-excludes' });
    expect(await as('deployer', TEAM, listed([run(OTHER_RUN, ['team-b'])]))(route, body)).toMatchObject({ result: expect.not.stringMatching(/^2/) });
  });
});
