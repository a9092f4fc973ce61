import { describe, expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, type Options, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const FLOW = 'ffffffff-0000-4000-8000-000000000001';
const TASK = 'ffffffff-0000-4000-8000-000000000002';
const VARIABLE = 'ffffffff-0000-4000-8000-000000000003';
const EVENT = 'ffffffff-0000-4000-8000-000000000004';
const [OWN, OTHER] = ['team-a', 'team-z'];

function prefect(tags: readonly string[] = [OWN]) {
  const flow = { id: FLOW, name: 'etl', tags: [] };
  const deployment = { id: DEPLOYMENT, name: 'nightly', flow_id: FLOW, tags, work_pool_name: 'pool' };
  const run = { id: RUN, name: 'one', flow_id: FLOW, deployment_id: DEPLOYMENT, tags, work_pool_name: 'pool', labels: {} };
  return prefectWith(
    {
      [`GET /api/flows/${FLOW}`]: flow,
      [`GET /api/deployments/${DEPLOYMENT}`]: deployment,
      'POST /api/deployments/filter': [deployment],
      [`GET /api/flow_runs/${RUN}`]: run,
      'POST /api/flow_runs/filter': [run],
      [`GET /api/variables/${VARIABLE}`]: { id: VARIABLE, name: 'x', tags },
      [`GET /api/task_runs/${TASK}`]: { id: TASK, flow_run_id: RUN, tags: [] },
    },
    { status: 201 },
  );
}

/** Everything of team-a, as a member of it. */
function options(more: Options = {}): Options {
  return { prefect: prefect(), guarded: [OWN, OTHER], scope: { tags: [OWN] }, knows: [`token:deployer ${FLOW}`, `token:operator ${FLOW}`], ...more };
}

const taskEvent = (tags: readonly string[], related: readonly string[] = []) => ({
  id: EVENT,
  event: 'prefect.task-run.Running',
  occurred: '2026-03-01T12:00:00Z',
  resource: { 'prefect.resource.id': `prefect.task-run.${TASK}` },
  related: [
    { 'prefect.resource.id': `prefect.flow-run.${RUN}`, 'prefect.resource.role': 'flow-run' },
    ...related.map((tag) => ({ 'prefect.resource.id': `prefect.tag.${tag}`, 'prefect.resource.role': 'tag' })),
  ],
  payload: { task_run: { flow_run_id: RUN, tags } },
});

type Way = readonly [what: string, role: string, route: string, body: (tags: readonly string[]) => unknown];

/** Each puts the given tags on something. */
const PUTTING: readonly Way[] = [
  ['a run of a deployment', 'operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, (tags) => ({ tags })],
  ['many runs of a deployment', 'operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, (tags) => [{}, { tags }]],
  ['a run by itself', 'deployer', 'POST /api/flow_runs/', (tags) => ({ flow_id: FLOW, tags: [OWN, ...tags] })],
  ['a run by itself, of a deployment', 'deployer', 'POST /api/flow_runs/', (tags) => ({ flow_id: FLOW, deployment_id: DEPLOYMENT, tags: [OWN, ...tags] })],
  ['a run that is there', 'deployer', `PATCH /api/flow_runs/${RUN}`, (tags) => ({ tags: [OWN, ...tags] })],
  ['a deployment', 'deployer', `PATCH /api/deployments/${DEPLOYMENT}`, (tags) => ({ tags: [OWN, ...tags] })],
  ['a deployment that is sent again', 'deployer', 'POST /api/deployments/', (tags) => ({ name: 'nightly', flow_id: FLOW, tags: [OWN, ...tags] })],
  ['a task run', 'worker', 'POST /api/task_runs/', (tags) => ({ flow_run_id: RUN, task_key: 'k', dynamic_key: '0', tags })],
  ['a task run, by its event', 'worker', 'POST /api/events', (tags) => [taskEvent(tags)]],
  ['what an event is related to', 'worker', 'POST /api/events', (tags) => [taskEvent([], tags)]],
  ['a variable', 'deployer', 'POST /api/variables/', (tags) => ({ name: 'y', value: 1, tags: [OWN, ...tags] })],
  ['a variable that is there', 'deployer', `PATCH /api/variables/${VARIABLE}`, (tags) => ({ tags: [OWN, ...tags] })],
  ['a flow', 'deployer', 'POST /api/flows/', (tags) => ({ name: 'etl', tags })],
];

describe("a guarded tag of another team's", () => {
  it.each(PUTTING)('is not put on %s, and the refusal names it', async (_what, role, route, body) => {
    const { result, arrived, response } = await outcomeOf(role, route, body([OTHER]), options());
    expect([result, arrived]).toEqual(['tag-guarded', false]);
    expect(response.status).toBe(403);
    expect(String(response.body)).toContain('\\"team-z\\"');
  });

  it.each(PUTTING)("stays allowed for %s: one's own, and one that no scope names", async (_what, role, route, body) => {
    expect((await outcomeOf(role, route, body([OWN, 'nightly', 'x']), options())).result).toBe(201);
  });

  it.each(PUTTING)('is put on %s by a role that holds on everything', async (_what, role, route, body) => {
    const { scope: _, ...whole } = options();
    expect((await outcomeOf(role, route, body([OTHER]), whole)).result).toBe(201);
  });

  it.each(PUTTING)('is put on %s by a role whose scope names both', async (_what, role, route, body) => {
    expect((await outcomeOf(role, route, body([OTHER]), options({ scope: { tags: [OWN, OTHER] } }))).result).toBe(201);
  });

  it.each([
    ['a run', 'deployer', `PATCH /api/flow_runs/${RUN}`, { tags: [OWN] }],
    ['a run, with all tags', 'deployer', `PATCH /api/flow_runs/${RUN}`, { tags: [OWN], name: 'new' }],
    ['a deployment', 'deployer', `PATCH /api/deployments/${DEPLOYMENT}`, { tags: [OWN] }],
    ['a deployment that is sent again', 'deployer', 'POST /api/deployments/', { name: 'nightly', flow_id: FLOW, tags: [OWN] }],
    ['a variable', 'deployer', `PATCH /api/variables/${VARIABLE}`, { tags: [OWN] }],
  ])('is not taken off %s', async (_what, role, route, body) => {
    const shared = options({ prefect: prefect([OWN, OTHER]) });
    expect((await outcomeOf(role, route, body, shared)).result).toBe('tag-guarded');
    const same = await outcomeOf(role, route, { ...body, tags: [OTHER, OWN, 'nightly'] }, shared);
    expect(same.result).toBe(201);
  });

  it('leaves a deployment that is sent again without tags only for a principal that holds it', async () => {
    const body = { name: 'nightly', flow_id: FLOW, work_pool_name: 'pool' };
    const pool = options({ prefect: prefect([OTHER]), scope: { workPools: ['pool'] } });
    expect((await outcomeOf('deployer', 'POST /api/deployments/', body, pool)).result).toBe('tag-guarded');
    expect((await outcomeOf('deployer', 'POST /api/deployments/', { ...body, tags: [OTHER] }, pool)).result).toBe(201);
  });

  it('comes from the deployment: a principal that may start its runs may repeat it', async () => {
    const shared = options({ prefect: prefect([OWN, OTHER]) });
    expect((await outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, {}, shared)).result).toBe(201);
    expect((await outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, { tags: [OTHER, OWN] }, shared)).result).toBe(201);
  });

  it('comes from the run: events repeat the tags of the run and its deployment', async () => {
    const shared = options({ prefect: prefect([OWN, OTHER]) });
    expect((await outcomeOf('worker', 'POST /api/events', [taskEvent([OTHER], [OWN, OTHER])], shared)).result).toBe(201);
  });

  it('stands in the record of who tried', async () => {
    const gate = startMediator(options());
    const response = await gate.send({ role: 'operator', method: 'POST', path: `/api/deployments/${DEPLOYMENT}/create_flow_run`, body: { tags: [OTHER] } });
    expect(codeOf(response)).toBe('tag-guarded');
    expect(gate.record().reason).toBe('tag-guarded');
  });
});

describe('inside a flow', () => {
  const inRun = (tags: readonly string[], more: Options = {}): Options => {
    const { scope: _, ...whole } = options({ prefect: prefect(tags), run: RUN, ...more });
    return whole;
  };

  it.each([
    ['a sub-flow', 'POST /api/flow_runs/', { flow_id: FLOW, tags: [OTHER] }],
    ['the run itself', `PATCH /api/flow_runs/${RUN}`, { tags: [OWN, OTHER] }],
    ['a task run', 'POST /api/task_runs/', { flow_run_id: RUN, task_key: 'k', dynamic_key: '0', tags: [OTHER] }],
    ['a task run, by its event', 'POST /api/events', [taskEvent([OTHER])]],
    ['what an event is related to', 'POST /api/events', [taskEvent([], [OTHER])]],
  ])('a run puts a guarded tag on %s only when it has it itself, whatever its worker holds', async (_what, route, body) => {
    expect((await outcomeOf('run', route, body, inRun([OWN]))).result).toBe('tag-guarded');
    expect((await outcomeOf('run', route, body, inRun([OWN], { scope: { tags: [OWN, OTHER] } }))).result).toBe('tag-guarded');
    expect((await outcomeOf('run', route, body, inRun([OWN, OTHER]))).result).toBe(201);
  });

  it('a tag that no scope names is anybody’s', async () => {
    expect((await outcomeOf('run', 'POST /api/flow_runs/', { flow_id: FLOW, tags: ['nightly'] }, inRun([]))).result).toBe(201);
  });
});

describe('the concurrency limit of a guarded tag', () => {
  const [LIMIT, PLAIN] = ['ffffffff-0000-4000-8000-000000000005', 'ffffffff-0000-4000-8000-000000000006'];

  const [LINKED, FOREIGN] = ['ffffffff-0000-4000-8000-000000000007', 'ffffffff-0000-4000-8000-000000000008'];
  const BOTH = { deployments: { id: { any_: [LINKED, FOREIGN] } } };

  /** Both forms of the limit of each tag, and a limit of that name which is no tag's. */
  function world(tag: string) {
    const limit = { id: LIMIT, name: `tag:${tag}`, limit: 1, active: true };
    const deployment = { id: DEPLOYMENT, name: 'nightly', flow_id: FLOW, tags: [OWN], work_pool_name: 'pool' };
    const linked = { ...deployment, id: LINKED, name: 'linked', global_concurrency_limit: limit };
    return prefectWith(
      {
        [`GET /api/v2/concurrency_limits/${LIMIT}`]: limit,
        [`GET /api/v2/concurrency_limits/${encodeURIComponent(limit.name)}`]: limit,
        [`GET /api/v2/concurrency_limits/${PLAIN}`]: { ...limit, id: PLAIN, name: tag },
        [`GET /api/v2/concurrency_limits/${tag}`]: { ...limit, id: PLAIN, name: tag },
        [`GET /api/concurrency_limits/tag/${tag}`]: { id: LIMIT, tag, concurrency_limit: 1 },
        [`GET /api/flows/${FLOW}`]: { id: FLOW, name: 'etl', tags: [] },
        [`GET /api/flow_runs/${RUN}`]: { id: RUN, flow_id: FLOW, deployment_id: null, tags: [OWN], labels: {} },
        [`GET /api/deployments/${DEPLOYMENT}`]: deployment,
        [`GET /api/deployments/${LINKED}`]: linked,
        'POST /api/deployments/filter': [linked, { ...deployment, id: FOREIGN, tags: ['elsewhere'] }],
        [`GET /api/task_runs/${TASK}`]: { id: TASK, flow_run_id: RUN, tags: [tag] },
      },
      { status: 201 },
    );
  }
  const any = (tag: string, more: Options = {}): Options => options({ prefect: world(tag), scope: { tags: [OWN], concurrencyLimits: ['*'] }, ...more });

  const WAYS: readonly (readonly [what: string, role: string, route: (tag: string) => string, body: (tag: string) => unknown])[] = [
    ['made', 'deployer', () => 'POST /api/concurrency_limits/', (tag) => ({ tag, concurrency_limit: 0 })],
    ['made, as a new limit', 'deployer', () => 'POST /api/v2/concurrency_limits/', (tag) => ({ name: `tag:${tag}`, limit: 0 })],
    ['changed by its name', 'deployer', (tag) => `PATCH /api/v2/concurrency_limits/tag:${tag}`, () => ({ limit: 0 })],
    ['changed by its id', 'deployer', () => `PATCH /api/v2/concurrency_limits/${LIMIT}`, () => ({ limit: 0 })],
    ['made of another', 'deployer', () => `PATCH /api/v2/concurrency_limits/${PLAIN}`, (tag) => ({ name: `tag:${tag}` })],
    ['reset', 'admin', (tag) => `POST /api/concurrency_limits/tag/${tag}/reset`, () => ({ slot_override: [] })],
    ['deleted', 'admin', (tag) => `DELETE /api/concurrency_limits/tag/${tag}`, () => undefined],
    ['deleted by its id', 'admin', () => `DELETE /api/concurrency_limits/${LIMIT}`, () => undefined],
    ['deleted as a new limit', 'admin', (tag) => `DELETE /api/v2/concurrency_limits/tag:${tag}`, () => undefined],
    ['deleted as a new limit by its id', 'admin', () => `DELETE /api/v2/concurrency_limits/${LIMIT}`, () => undefined],
    ['taken by its tag', 'worker', () => 'POST /api/concurrency_limits/increment', (tag) => ({ names: [tag], task_run_id: TASK })],
    ['let go by its tag', 'worker', () => 'POST /api/concurrency_limits/decrement', (tag) => ({ names: ['x', tag], task_run_id: TASK })],
    ['taken', 'worker', () => 'POST /api/v2/concurrency_limits/increment', (tag) => ({ names: [`tag:${tag}`], slots: 1 })],
    ['taken with a lease', 'worker', () => 'POST /api/v2/concurrency_limits/increment-with-lease', (tag) => ({ names: [`tag:${tag}`], slots: 1 })],
    ['let go', 'worker', () => 'POST /api/v2/concurrency_limits/decrement', (tag) => ({ names: [`tag:${tag}`], slots: 1 })],
    ['taken by a task run that begins', 'worker', () => `POST /api/task_runs/${TASK}/set_state`, () => ({ state: { type: 'RUNNING' } })],
    ['deleted with its deployment', 'deployer', () => `DELETE /api/deployments/${LINKED}`, () => undefined],
    ['deleted with its deployment, beside a foreign one', 'deployer', () => 'POST /api/deployments/bulk_delete', () => BOTH],
    ["taken by a deployment's runs", 'deployer', () => `PATCH /api/deployments/${DEPLOYMENT}`, () => ({ global_concurrency_limit_id: LIMIT })],
  ];

  it.each(WAYS)('is not %s by a scope that takes in the limit and not the tag', async (_what, role, route, body) => {
    const { result, arrived, response } = await outcomeOf(role, route(OTHER), body(OTHER), any(OTHER));
    expect([result, arrived]).toEqual(['tag-guarded', false]);
    expect(String(response.body)).toContain('\\"team-z\\"');
  });

  it.each(WAYS)('stays %s by a scope that names the tag or the whole limit, by a role on everything, and where no scope names the tag', async (...way) => {
    const [, role, route, body] = way;
    const { scope: _, ...whole } = any(OTHER);
    const named = any(OTHER, { scope: { tags: [OWN], concurrencyLimits: ['*', OTHER] } });
    const all: readonly (readonly [string, Options])[] = [
      [OTHER, whole],
      [OTHER, named],
      [OWN, any(OWN)],
      ['free', any('free')],
    ];
    for (const [tag, allowed] of all) expect((await outcomeOf(role, route(tag), body(tag), allowed)).result, tag).toBe(201);
  });

  it('has no effect if it does not exist, and differs from the limit of the same name', async () => {
    const take = (names: readonly string[], more: object = {}) =>
      outcomeOf('worker', 'POST /api/v2/concurrency_limits/increment', { names, slots: 1, ...more }, any('free'));
    expect((await take([`tag:${OTHER}`])).result).toBe(201);
    expect((await take([`tag:${OTHER}`], { create_if_missing: true })).result).toBe('tag-guarded');
    expect((await outcomeOf('deployer', `PATCH /api/v2/concurrency_limits/${OTHER}`, { limit: 0 }, any(OTHER))).result).toBe(201);
    expect((await outcomeOf('deployer', `PATCH /api/v2/concurrency_limits/${PLAIN}`, { limit: 0 }, any(OTHER))).result).toBe(201);
  });

  it('is taken by a run that has the tag, whatever its worker holds', async () => {
    const take = (tag: string) =>
      outcomeOf('run', 'POST /api/v2/concurrency_limits/increment-with-lease', { names: [`tag:${tag}`], slots: 1 }, any(tag, { run: RUN }));
    expect((await take(OWN)).result).toBe(201);
    expect((await take(OTHER)).result).toBe('tag-guarded');
    expect((await take('free')).result).toBe(201);
  });
});
