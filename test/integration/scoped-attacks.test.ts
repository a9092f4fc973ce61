// A deployer, worker and operator of team A with everything they may do, against team B on the same server: what a body names, takes or hides.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { makeTeams, scopeArguments, type Team } from '../env/teams.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const tokens = new Map<string, string>();
let gateway: Gateway;
let a: Team;
let b: Team;

beforeAll(async () => {
  ({ a, b } = await makeTeams(server));
  gateway = await startGateway({ upstream: prefect, config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  for (const role of ['deployer', 'operator']) tokens.set(role, (await gateway.token(role, [role], ...scopeArguments(a))).secret);
  // Its scope names the tag of team B, which makes it a guarded one.
  await gateway.token('other', ['operator'], ...scopeArguments(b));
  tokens.set('worker', (await gateway.token('worker', ['worker'], '--pool', a.pool)).secret);
  tokens.set('local', (await gateway.token('local', ['deployer'], '--scope', `tag=${a.tag}`)).secret);
  tokens.set('shared', (await gateway.token('shared', ['worker'], '--scope', `tag=${a.tag}`, '--pool', a.pool)).secret);
  tokens.set('tasks', (await gateway.token('tasks', ['worker'], '--scope', `tag=${a.tag}`, '--scope', `concurrency_limit=${a.mark}*`)).secret);
  tokens.set('limits', (await gateway.token('limits', ['deployer', 'worker'], '--scope', `tag=${a.tag}`, '--scope', 'concurrency_limit=*')).secret);
  tokens.set('everything', (await gateway.token('everything', ['worker'])).secret);
  tokens.set('auditor', (await gateway.token('auditor', ['auditor'])).secret);
  tokens.set('scoped auditor', (await gateway.token('scoped-auditor', ['auditor'], '--scope', `tag=${a.tag}`)).secret);
  tokens.set('admin', (await gateway.token('admin', ['admin'])).secret);
  tokens.set('whole', (await gateway.token('whole', ['deployer'])).secret);
});
afterAll(() => gateway?.close());

interface Answer {
  readonly status: number;
  readonly raw: string;
}

async function send(name: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const json = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await gateway.fetch(`/api${path}`, { method, token: tokens.get(name) ?? '', ...json });
  return { status: response.status, raw: await response.text() };
}

const id = (value: unknown): string => text(field(value, 'id'));
const defaultQueueOf = async (pool: string): Promise<string> => id(await server.get(`/work_pools/${pool}/queues/default`));

/** 403 or 404, and nothing of team B that the request has not named itself. */
function expectRefused({ status, raw }: Answer, named: string): void {
  expect([403, 404], raw).toContain(status);
  expect(b.secrets.filter((secret) => raw.includes(secret) && !named.includes(secret))).toEqual([]);
}

describe('the tag of team B, which is guarded', () => {
  const tagged = (...tags: readonly string[]) => ({ tags: [a.tag, ...tags] });
  const taskRun = (taskId: string, tags: readonly string[]) => ({
    id: randomUUID(),
    event: 'prefect.task-run.Completed',
    occurred: new Date().toISOString(),
    resource: { 'prefect.resource.id': `prefect.task-run.${taskId}`, 'prefect.orchestration': 'client' },
    related: [{ 'prefect.resource.id': `prefect.flow-run.${a.finishedRun}`, 'prefect.resource.role': 'flow-run' }],
    payload: {
      validated_state: { type: 'COMPLETED', name: 'Completed' },
      task_run: { name: 'x', task_key: 'x', dynamic_key: taskId, tags },
    },
  });

  const ways: readonly (readonly [name: string, method: string, path: () => string, body: (...tags: readonly string[]) => unknown])[] = [
    ['operator', 'POST', () => `/deployments/${a.deployment}/create_flow_run`, tagged],
    ['operator', 'POST', () => `/deployments/${a.deployment}/create_flow_run/bulk`, (...tags) => [tagged(...tags)]],
    ['deployer', 'POST', () => '/flow_runs/', (...tags) => ({ flow_id: a.flow, work_pool_name: a.pool, ...tagged(...tags) })],
    ['deployer', 'PATCH', () => `/flow_runs/${a.scheduledRun}`, tagged],
    ['deployer', 'PATCH', () => `/deployments/${a.deployment}`, tagged],
    ['deployer', 'POST', () => '/deployments/', (...tags) => ({ name: `${a.mark}-t`, flow_id: a.flow, work_pool_name: a.pool, ...tagged(...tags) })],
    ['shared', 'POST', () => '/task_runs/', (...tags) => ({ flow_run_id: a.finishedRun, task_key: 'k', dynamic_key: randomUUID(), ...tagged(...tags) })],
    ['shared', 'POST', () => '/events', (...tags) => [taskRun(randomUUID(), [a.tag, ...tags])]],
  ];

  it.each(ways)('is not put on anything by %s: %s %s', async (name, method, path, body) => {
    const refused = await send(name, method, path(), body(b.tag));
    expect([refused.status, field(JSON.parse(refused.raw), 'code')], refused.raw).toEqual([403, 'tag-guarded']);
    expect(field(JSON.parse(refused.raw), 'detail')).toContain(b.tag);
    const filter = { tags: { all_: [a.tag, b.tag] } };
    expect(await server.post('/flow_runs/filter', { flow_runs: filter })).toEqual([]);
    expect(await server.post('/deployments/filter', { deployments: filter })).toEqual([]);
  });

  it.each(ways)('twin: its own tag is, by %s: %s %s', async (name, method, path, body) => {
    const made = await send(name, method, path(), body('nobody-names-this'));
    expect(made.status, made.raw).toBeLessThan(300);
  });

  it('is put on a run by a role on everything, whose deployer then cannot take it off', async () => {
    const tag = (name: string, ...tags: readonly string[]) => send(name, 'PATCH', `/flow_runs/${a.scheduledRun}`, { tags });
    expect((await tag('whole', a.tag, b.tag)).status).toBe(204);
    const refused = await tag('deployer', a.tag);
    expect(field(JSON.parse(refused.raw), 'code'), refused.raw).toBe('tag-guarded');
    expect((await tag('deployer', b.tag, a.tag, 'x')).status).toBe(204);
    expect((await tag('whole', a.tag)).status).toBe(204);
  });

  it('has a concurrency limit that no scope on all limits makes, changes, takes or deletes; twin: that of its tag', async () => {
    for (const [tag, expected] of [
      [b.tag, [403, 403, 403, 403, 403, 403]],
      [a.tag, [200, 204, 200, 200, 200, 200]],
    ] as const) {
      const limit = id(await server.post('/concurrency_limits/', { tag, concurrency_limit: 3 }));
      const body = { names: [`tag:${tag}`], slots: 1 };
      const answers = [
        await send('limits', 'POST', '/concurrency_limits/', { tag, concurrency_limit: 2 }),
        await send('limits', 'PATCH', `/v2/concurrency_limits/${limit}`, { limit: 2 }),
        await send('limits', 'POST', '/concurrency_limits/increment', { names: [tag], task_run_id: a.taskRun }),
        await send('limits', 'POST', '/v2/concurrency_limits/increment-with-lease', body),
        await send('limits', 'POST', `/concurrency_limits/tag/${tag}/reset`, {}),
        await send('limits', 'DELETE', `/concurrency_limits/${limit}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual(expected);
      for (const { status, raw } of answers) if (status === 403) expect(field(JSON.parse(raw), 'code'), raw).toBe('tag-guarded');
    }
    const left = await server.post('/concurrency_limits/filter', {});
    expect(list(left).filter((limit) => field(limit, 'tag') === b.tag)).toMatchObject([{ concurrency_limit: 3, active_slots: [] }]);
  });

  it('comes with no event of a socket; what comes behind it does', async () => {
    const socket = openSocket(gateway.url, '/api/events/in', { first: authFrame(`any:${tokens.get('shared') ?? ''}`) });
    await waitFor(() => socket.frames().length > 0, { what: 'auth_success' });
    const [forged, own] = [randomUUID(), randomUUID()];
    socket.send(taskRun(forged, [b.tag]));
    socket.send(taskRun(own, [a.tag]));
    const recorded = async (): Promise<readonly unknown[]> => list(await server.post('/task_runs/filter', { task_runs: { id: { any_: [forged, own] } } }));
    await waitFor(async () => (await recorded()).length > 0, { what: 'the task run', timeoutMs: 60_000 });
    expect((await recorded()).map(id)).toEqual([own]);
    socket.close();
  });
});

describe('a deployment of team A', () => {
  const create = (more: object) => ({ name: `${a.mark}-x`, flow_id: a.flow, tags: [a.tag], work_pool_name: a.pool, ...more });

  it.each([
    ['the slots of a concurrency limit', () => ({ global_concurrency_limit_id: b.limit })],
    ['a block as its storage', () => ({ storage_document_id: b.block })],
    ['a block as its infrastructure', () => ({ infrastructure_document_id: b.block })],
  ])('does not take %s of team B', async (_, body) => {
    expectRefused(await send('deployer', 'POST', '/deployments/', create(body())), JSON.stringify(body()));
    expectRefused(await send('deployer', 'PATCH', `/deployments/${a.deployment}`, body()), JSON.stringify(body()));
    const run = await send('deployer', 'POST', `/deployments/${a.deployment}/create_flow_run`, body());
    if (run.status < 300) expect(b.secrets.filter((secret) => run.raw.includes(secret))).toEqual([]);
  });

  it('twin: takes the slots of its limit', async () => {
    const made = await send('deployer', 'POST', '/deployments/', create({ global_concurrency_limit_id: a.limit }));
    expect(made.status, made.raw).toBeLessThan(300);
    const taken = await send('whole', 'PATCH', `/deployments/${a.deployment}`, { global_concurrency_limit_id: b.limit });
    expect(taken.status, taken.raw).toBe(204);
    expect((await send('whole', 'PATCH', `/deployments/${a.deployment}`, { global_concurrency_limit_id: null })).status).toBe(204);
  });

  it('comes into no pool of team B by the name of a queue alone', async () => {
    const alone = { work_queue_name: b.queue };
    for (const pool of [{}, { work_pool_name: '' }]) {
      expectRefused(await send('deployer', 'PATCH', `/deployments/${a.deployment}`, { ...alone, ...pool }), b.queue);
      expectRefused(await send('deployer', 'POST', '/deployments/', { name: `${a.mark}-q`, flow_id: a.flow, tags: [a.tag], ...alone, ...pool }), b.queue);
    }
    expect(field(await server.get(`/deployments/${a.deployment}`), 'work_pool_name')).toBe(a.pool);
  });

  it('twin: takes a queue of its pool, and any for the role on everything', async () => {
    const own = { work_pool_name: a.pool, work_queue_name: a.queue };
    expect((await send('whole', 'PATCH', `/deployments/${a.deployment}`, { work_queue_name: b.queue })).status).toBe(204);
    expect(field(await server.get(`/deployments/${a.deployment}`), 'work_pool_name')).not.toBe(a.pool);
    expect((await send('whole', 'PATCH', `/deployments/${a.deployment}`, own)).status).toBe(204);
    expect((await send('deployer', 'PATCH', `/deployments/${a.deployment}`, own)).status).toBe(204);
    expect(field(await server.get(`/deployments/${a.deployment}`), 'work_pool_name')).toBe(a.pool);
  });

  it('does not run on a block of team B, by no way to a run', async () => {
    const infrastructure = { infrastructure_document_id: b.block };
    for (const [path, body] of [
      [`/deployments/${a.deployment}/create_flow_run`, infrastructure],
      ['/flow_runs/', { flow_id: a.flow, deployment_id: a.deployment, tags: [a.tag], ...infrastructure }],
    ] as const)
      expectRefused(await send('deployer', 'POST', path, body), JSON.stringify(body));
  });

  /** Every way that gives a run parameters, now or later. */
  const giving = (token: object): readonly (readonly [method: string, path: string, body: unknown])[] => {
    const parameters = { token };
    const action = { type: 'run-deployment', source: 'selected', deployment_id: a.deployment, parameters };
    const match = { 'prefect.resource.id': `prefect.deployment.${a.deployment}` };
    const trigger = { type: 'event', posture: 'Reactive', threshold: 1, within: 0, expect: ['x.y'], match };
    return [
      ['POST', `/deployments/${a.deployment}/create_flow_run`, { parameters }],
      ['POST', `/deployments/${a.deployment}/create_flow_run/bulk`, [{ parameters }]],
      ['POST', '/flow_runs/', { flow_id: a.flow, deployment_id: a.deployment, tags: [a.tag], work_pool_name: a.pool, parameters }],
      ['PATCH', `/flow_runs/${a.scheduledRun}`, { parameters }],
      ['POST', `/deployments/${a.deployment}/schedules`, [{ active: false, schedule: { interval: 3600 }, parameters }]],
      ['PATCH', `/deployments/${a.deployment}`, { parameters }],
      ['POST', '/automations/', { name: `${a.mark}-names`, trigger, actions: [action], enabled: false }],
      ['POST', '/variables/', { name: `${a.mark}_names`, value: parameters }],
    ];
  };

  it('names no block of team B in a parameter, in no form that a flow loads', async () => {
    const slug = { block_document_slug: `secret/${b.blockName}` };
    for (const reference of [{ block_document_id: b.block }, b.block, `{${b.block}}`, slug]) {
      for (const [method, path, body] of giving({ $ref: reference })) expectRefused(await send('deployer', method, path, body), JSON.stringify(body));
    }
    expect(field(await server.get(`/flow_runs/${a.scheduledRun}`), 'parameters')).toEqual({});
  });

  it('twin: names its own, which an operator may repeat there but name nowhere', async () => {
    for (const [method, path, body] of giving({ $ref: { block_document_id: a.block } })) {
      const answer = await send('deployer', method, path, body);
      expect(answer.status, `${path}: ${answer.raw}`).toBeLessThan(300);
    }
    const start = async (parameters: object) => (await send('operator', 'POST', `/deployments/${a.deployment}/create_flow_run`, { parameters })).status;
    expect(await start({ token: { $ref: { block_document_id: a.block } } })).toBe(201);
    expect(await start({ other: { $ref: { block_document_id: a.block } } })).toBe(403);
    expect((await send('deployer', 'PATCH', `/deployments/${a.deployment}`, { parameters: {} })).status).toBe(204);
    expect(await start({ token: { $ref: { block_document_id: a.block } } })).toBe(403);
  });
});

describe('a limit of others that a deployment of team A takes slots of', () => {
  const shared = async (name: string) => {
    const limit = id(await server.post('/v2/concurrency_limits/', { name: `${b.mark}-${name}`, limit: 2 }));
    const place = { flow_id: a.flow, tags: [a.tag], work_pool_name: a.pool };
    const body = { name: `${a.mark}-${name}`, ...place };
    return { limit, body, deployment: id(await server.post('/deployments/', { ...body, global_concurrency_limit_id: limit })) };
  };
  const limitNow = async (limit: string) => field(await server.get(`/v2/concurrency_limits/${limit}`), 'limit');

  it('is neither written nor deleted by what is written to the deployment, nor deleted with it', async () => {
    const { limit, body, deployment } = await shared('kept');
    for (const concurrency_limit of [100, null]) {
      expectRefused(await send('deployer', 'PATCH', `/deployments/${deployment}`, { concurrency_limit }), '');
      expectRefused(await send('deployer', 'POST', '/deployments/', { ...body, concurrency_limit }), '');
    }
    expectRefused(await send('deployer', 'DELETE', `/deployments/${deployment}`), '');
    expectRefused(await send('deployer', 'POST', '/deployments/bulk_delete', { deployments: { id: { any_: [deployment] } } }), '');
    expect(await limitNow(limit)).toBe(2);
    expect(field(await server.get(`/deployments/${deployment}`), 'global_concurrency_limit')).toMatchObject({ id: limit });
  });

  it('twin: stays when the deployment leaves it, has its own, and is deleted', async () => {
    const { limit, deployment } = await shared('left');
    for (const change of [
      { global_concurrency_limit_id: null, concurrency_limit: null },
      { concurrency_limit: 3 },
      { concurrency_limit: 4 },
      { concurrency_limit: null },
    ]) {
      const changed = await send('deployer', 'PATCH', `/deployments/${deployment}`, change);
      expect(changed.status, changed.raw).toBe(204);
    }
    expect((await send('deployer', 'PATCH', `/deployments/${deployment}`, { concurrency_limit: 5 })).status).toBe(204);
    expect((await send('deployer', 'DELETE', `/deployments/${deployment}`)).status).toBe(204);
    expect(await limitNow(limit)).toBe(2);
  });

  it('twin: is written and deleted that way by a principal with the role on everything', async () => {
    const { limit, deployment } = await shared('gone');
    expect((await send('whole', 'PATCH', `/deployments/${deployment}`, { concurrency_limit: 7 })).status).toBe(204);
    expect(await limitNow(limit)).toBe(7);
    expect((await send('whole', 'DELETE', `/deployments/${deployment}`)).status).toBe(204);
    expect((await send('whole', 'GET', `/v2/concurrency_limits/${limit}`)).status).toBe(404);
  });
});

it('slots of a limit of others are taken by nobody outside, though its name reads as an id', async () => {
  const name = randomUUID();
  const limit = id(await server.post('/v2/concurrency_limits/', { name, limit: 3 }));
  const taken = async () => field(await server.get(`/v2/concurrency_limits/${limit}`), 'active_slots');
  const body = { names: [name], slots: 1 };
  for (const way of ['increment', 'increment-with-lease']) expectRefused(await send('deployer', 'POST', `/v2/concurrency_limits/${way}`, body), name);
  expect(await taken()).toBe(0);
  expect((await send('whole', 'POST', '/v2/concurrency_limits/increment', body)).status).toBe(200);
  expect(await taken()).toBe(1);
});

describe('a queue of team A', () => {
  const filter = () => ({ filter: { tags: [b.tag], deployment_ids: [b.deployment] } });
  const queue = () => `/work_pools/${a.pool}/queues/${a.queue}`;

  it('hands out no run of team B, whatever filter it is given', async () => {
    for (const path of [queue(), `/work_queues/${a.queueId}`]) expectRefused(await send('deployer', 'PATCH', path, filter()), JSON.stringify(filter()));
    expectRefused(await send('deployer', 'POST', `/work_pools/${a.pool}/queues`, { name: `${a.mark}-old`, ...filter() }), JSON.stringify(filter()));
    for (const name of ['worker', 'deployer']) {
      const runs = await send(name, 'POST', `/work_queues/${a.queueId}/get_runs`, { scheduled_before: new Date(Date.now() + 86_400_000).toISOString() });
      expect(b.secrets.filter((secret) => runs.raw.includes(secret))).toEqual([]);
    }
  });

  it('twin: is changed, and its filter applies, for a principal with the role on everything', async () => {
    expect((await send('deployer', 'PATCH', queue(), { description: 'x' })).status).toBe(204);
    expect((await send('whole', 'PATCH', `/work_queues/${a.queueId}`, { filter: null })).status).toBe(204);
  });
});

describe('a flow of team B', () => {
  const ABSENT = '00000000-0000-4000-8000-00000000000f';
  const uses: readonly (readonly [string, string, (flow: string) => object])[] = [
    ['deployer', '/deployments/', (flow_id) => ({ name: `${a.mark}-use`, flow_id, tags: [a.tag], work_pool_name: a.pool })],
    ['deployer', '/flow_runs/', (flow_id) => ({ flow_id, tags: [a.tag], deployment_id: a.deployment, work_pool_name: a.pool })],
    ['local', '/flow_runs/', (flow_id) => ({ flow_id, tags: [a.tag] })],
  ];
  const written = { tags: ['word'] };

  it('gets no use by its id: there is none, in the same bytes as for an id of nobody', async () => {
    for (const [name, path, body] of uses) {
      const foreign = await send(name, 'POST', path, body(b.flow));
      expect([foreign.status, foreign.raw], `${name} ${path}`).toEqual([404, '{"detail":"Flow not found"}']);
      expect(await send(name, 'POST', path, body(ABSENT))).toEqual(foreign);
    }
    expect(await send('deployer', 'GET', `/flows/${b.flow}`)).toMatchObject({ status: 404 });
  });

  it('twin: its own does, and any for the role on everything', async () => {
    for (const [name, path, body] of uses) {
      const own = await send(name, 'POST', path, body(a.flow));
      expect(own.status, own.raw).toBe(201);
    }
    const whole = await send('whole', 'POST', '/deployments/', { name: `${b.mark}-whole`, flow_id: b.flow, tags: [b.tag] });
    expect(whole.status, whole.raw).toBe(201);
  });

  it('is given by its name to a principal that has it, with nothing that is written on it, and lets only that principal make a use', async () => {
    expect((await send('admin', 'PATCH', `/flows/${b.flow}`, written)).status).toBe(204);
    const given = await send('deployer', 'POST', '/flows/', { name: b.flowName });
    expect([given.status, JSON.parse(given.raw)]).toMatchObject([201, { id: b.flow, name: b.flowName, tags: [], labels: {} }]);
    for (const name of ['local', 'deployer']) {
      const made = await send(name, 'POST', '/deployments/', { name: `${a.mark}-use`, flow_id: b.flow, tags: [a.tag], work_pool_name: a.pool });
      expect(made.status, made.raw).toBe(name === 'local' ? 404 : 201);
    }
    for (const seen of [await send('deployer', 'GET', `/flows/${b.flow}`), await send('deployer', 'POST', '/flows/filter', {})]) {
      expect([seen.status, seen.raw.includes(b.flowName), seen.raw.includes('word')]).toEqual([200, true, false]);
    }
    expect((await send('whole', 'GET', `/flows/${b.flow}`)).raw).toContain('word');
  });
});

describe('a worker in a pool that both teams use', () => {
  it('gets the runs of its team, in any order, and leaves the others', async () => {
    const run = async (team: Team, pool: string, parameters: object = {}) => {
      const place = { work_pool_name: pool, work_queue_name: 'default' };
      return id(await server.post('/flow_runs/', { flow_id: team.flow, tags: [team.tag], state: { type: 'SCHEDULED' }, parameters, ...place }));
    };
    // As deep as a request may be: the answer that it stands in is deeper, and must be taken apart all the same.
    const deep: unknown = JSON.parse(`${'['.repeat(62)}${']'.repeat(62)}`);
    const deepened = await send('deployer', 'POST', '/flow_runs/', { flow_id: a.flow, tags: [a.tag], work_pool_name: a.pool, parameters: { deep } });
    expect(deepened.status, deepened.raw).toBe(201);
    // The old route takes a queue of that name in any pool.
    const [elsewhere, foreign, own] = [await run(b, b.pool), await run(b, a.pool), await run(a, a.pool, { deep })];
    for (const path of [`/work_pools/${a.pool}/get_scheduled_flow_runs`, `/work_queues/${await defaultQueueOf(a.pool)}/get_runs`]) {
      const handed = await send('shared', 'POST', path, {});
      expect([handed.status, handed.raw.includes(own), handed.raw.includes(foreign), handed.raw.includes(b.mark)], path).toEqual([200, true, false, false]);
      const ofPool = await send('worker', 'POST', path, {});
      expect([ofPool.raw.includes(own), ofPool.raw.includes(foreign), ofPool.raw.includes(elsewhere)], path).toEqual([true, true, false]);
      const whole = await send('everything', 'POST', path, {});
      expect([whole.raw.includes(own), whole.raw.includes(foreign)], path).toEqual([true, true]);
    }
    // Both hold a slot of the queue now.
    for (const held of [foreign, own]) await server.post(`/flow_runs/${held}/set_state`, { state: { type: 'RUNNING' }, force: true });
    for (const path of [`/work_pools/${a.pool}/concurrency_status`, `/work_queues/${await defaultQueueOf(a.pool)}/concurrency_status`]) {
      const [shown, whole] = [await send('shared', 'POST', path, {}), await send('everything', 'POST', path, {})];
      expect([shown.status, shown.raw.includes(foreign), whole.raw.includes(foreign)], path).toEqual([200, false, true]);
      expect(shown.raw.includes(own), shown.raw).toBe(true);
    }
    expect(list(JSON.parse((await send('shared', 'POST', `/work_pools/${a.pool}/get_scheduled_flow_runs`, { limit: 1 })).raw))).toHaveLength(1);
    expect((await send('shared', 'POST', `/work_pools/${a.pool}/get_scheduled_flow_runs`, { limit: 1000 })).status).toBe(422);
    expect((await send('shared', 'POST', `/work_pools/${b.pool}/get_scheduled_flow_runs`, {})).status).toBe(404);
  });

  it('is handed out no run of another team by an old queue that takes any', async () => {
    const queue = await defaultQueueOf(a.pool);
    expect((await send('admin', 'PATCH', `/work_queues/${queue}`, { filter: { tags: [b.tag] } })).status).toBe(204);
    const handed = await send('shared', 'POST', `/work_queues/${queue}/get_runs`, {});
    const whole = await send('everything', 'POST', `/work_queues/${queue}/get_runs`, {});
    expect((await send('admin', 'PATCH', `/work_queues/${queue}`, { filter: null })).status).toBe(204);
    expect([handed.status, handed.raw]).toEqual([200, '[]']);
    expect(whole.raw).toContain(b.mark);
  });
});

describe('an artifact of team A', () => {
  const body = (key: string) => ({ key, type: 'markdown', data: 'x', flow_run_id: a.finishedRun });

  it('does not take the place of the latest of team B under its key', async () => {
    const before = await server.get(`/artifacts/${b.artifactKey}/latest`);
    for (const name of ['worker', 'deployer']) expectRefused(await send(name, 'POST', '/artifacts/', body(b.artifactKey)), b.artifactKey);
    expect(await server.get(`/artifacts/${b.artifactKey}/latest`)).toEqual(before);
  });

  it('twin: has a new key, or its own', async () => {
    for (const key of [`${a.mark}-new-key`, a.artifactKey]) {
      const made = await send('worker', 'POST', '/artifacts/', body(key));
      expect(made.status, made.raw).toBe(201);
    }
    expect((await send('worker', 'POST', '/artifacts/', { ...body('x'), key: null })).status).toBe(201);
  });
});

describe('an automation of team A', () => {
  const action = () => ({ type: 'run-deployment', source: 'selected', deployment_id: a.deployment });
  const trigger = (more: object) => ({ type: 'event', posture: 'Reactive', threshold: 1, within: 0, expect: ['prefect.flow-run.*'], ...more });
  const body = (trigger: object) => ({ name: `${a.mark}-listens`, trigger, actions: [action()], enabled: false });

  it.each<readonly [string, () => object]>([
    ['everything', () => trigger({})],
    ['every run', () => trigger({ match: { 'prefect.resource.id': 'prefect.flow-run.*' } })],
    ['a deployment of team B', () => trigger({ match_related: { 'prefect.resource.id': `prefect.deployment.${b.deployment}` } })],
    [
      'a deployment of its own or one of team B',
      () => trigger({ match: { 'prefect.resource.id': [a.deployment, b.deployment].map((id) => `prefect.deployment.${id}`) } }),
    ],
    ['all but its own', () => trigger({ match: { 'prefect.resource.id': `!prefect.deployment.${a.deployment}` } })],
    ['a tag', () => trigger({ match_related: { 'prefect.resource.id': `prefect.tag.${b.tag}` } })],
    ['a flow that others use', () => trigger({ match_related: { 'prefect.resource.id': `prefect.flow.${a.flow}` } })],
    [
      'one of several',
      () => ({
        type: 'compound',
        require: 'any',
        within: 10,
        triggers: [trigger({ match: { 'prefect.resource.id': `prefect.deployment.${a.deployment}` } }), trigger({})],
      }),
    ],
    ['everything, beside triggers that it does not have', () => trigger({ triggers: [] })],
    [
      'everything, beside one that is its own',
      () => trigger({ triggers: [trigger({ match: { 'prefect.resource.id': `prefect.deployment.${a.deployment}` } })] }),
    ],
    ['a metric of all runs', () => ({ type: 'metric', metric: { name: 'duration', operator: '>', threshold: 1, range: 300, firing_for: 300 } })],
  ])('does not listen to %s', async (_, listens) => {
    expectRefused(await send('deployer', 'POST', '/automations/', body(listens())), JSON.stringify(listens()));
    expectRefused(await send('deployer', 'PUT', `/automations/${a.automation}`, body(listens())), JSON.stringify(listens()));
  });

  it('is switched on only by a principal that may listen to its events, with any author', async () => {
    const wide = id(await server.post('/automations/', { ...body(trigger({ expect: ['x.never'] })), name: `${a.mark}-wide` }));
    const own = id(
      await server.post('/automations/', {
        ...body(trigger({ match: { 'prefect.resource.id': `prefect.deployment.${a.deployment}` } })),
        name: `${a.mark}-own`,
      }),
    );
    const enabled = async (automation: string) => field(await server.get(`/automations/${automation}`), 'enabled');
    expectRefused(await send('deployer', 'PATCH', `/automations/${wide}`, { enabled: true }), '');
    expect(await enabled(wide)).toBe(false);
    expect((await send('deployer', 'PATCH', `/automations/${own}`, { enabled: true })).status).toBe(204);
    expect((await send('whole', 'PATCH', `/automations/${wide}`, { enabled: true })).status).toBe(204);
    expect([await enabled(own), await enabled(wide)]).toEqual([true, true]);
    expect((await send('deployer', 'PATCH', `/automations/${wide}`, { enabled: false })).status).toBe(204);
  });

  it('twin: listens to its own deployment; with the role on everything, to every run', async () => {
    const own = trigger({ match_related: { 'prefect.resource.id': `prefect.deployment.${a.deployment}`, 'prefect.resource.role': 'deployment' } });
    const made = await send('deployer', 'POST', '/automations/', body(own));
    expect(made.status, made.raw).toBe(201);
    const wide = await send('whole', 'POST', '/automations/', body(trigger({})));
    expect(wide.status, wide.raw).toBe(201);
  });
});

describe('many at once', () => {
  it('the cancelling of many reaches no run of team B, and says nothing of how many there are', async () => {
    const many = { flow_runs: { name: { like_: b.mark } }, state: { type: 'CANCELLED' } };
    const one = await send('operator', 'POST', '/flow_runs/bulk_set_state', many);
    expect(b.secrets.filter((secret) => one.raw.includes(secret) && secret !== b.mark)).toEqual([]);
    expect(await server.runState(b.scheduledRun)).toBe('SCHEDULED');
    expect(text(field(await server.get(`/flow_runs/${b.scheduledRun}`), 'name'))).toContain(b.mark);
  });

  it('runs of team B that fit a filter do not keep the own ones from being first', async () => {
    // Newer, so that Prefect would name it first.
    const own = id(await server.post(`/deployments/${a.deployment}/create_flow_run`, { name: `${a.mark}-same` }));
    const foreign = id(await server.post(`/deployments/${b.deployment}/create_flow_run`, { name: `${a.mark}-same-b` }));
    for (const flow_runs of [{ name: { like_: `${a.mark}-same` } }, { id: { any_: [foreign, own] } }]) {
      const set = await send('operator', 'POST', '/flow_runs/bulk_set_state', { flow_runs, limit: 1, force: true, state: { type: 'CANCELLED' } });
      expect([set.status, set.raw.includes(own), set.raw.includes(foreign)], set.raw).toEqual([200, true, false]);
    }
    expect(await server.runState(own)).toBe('CANCELLED');
    expect(await server.runState(foreign)).toBe('SCHEDULED');
  });

  it.each(['flows', 'deployments', 'flow_runs'])('the deleting of %s of team B is as deleting none', async (kind) => {
    const of = (name: string) => send('deployer', 'POST', `/${kind}/bulk_delete`, { [kind]: { name: { like_: name } } });
    const [theirs, nobodys] = [await of(b.mark), await of('nobody-has-this')];
    expect([theirs.status, theirs.raw]).toEqual([nobodys.status, nobodys.raw]);
    expect(nobodys.status, nobodys.raw).toBe(200);
    expect(list(await server.post(`/${kind}/filter`, { [kind]: { name: { like_: b.mark } } })).length).toBeGreaterThan(0);
  });

  it('twin: its own run is deleted', async () => {
    const own = id(await server.post(`/deployments/${a.deployment}/create_flow_run`, { name: `${a.mark}-goes` }));
    const gone = await send('deployer', 'POST', '/flow_runs/bulk_delete', { flow_runs: { name: { like_: `${a.mark}-goes` } } });
    expect(gone.raw).toContain(own);
  });
});

it('no block of team B stores the results of a pool of team A', async () => {
  const kept = (block: string | null) => ({ storage_configuration: { default_result_storage_block_id: block } });
  expectRefused(await send('deployer', 'PATCH', `/work_pools/${a.pool}`, kept(b.block)), b.block);
  expect((await send('deployer', 'PATCH', `/work_pools/${a.pool}`, kept(a.block))).status).toBe(204);
  expect((await send('whole', 'PATCH', `/work_pools/${a.pool}`, kept(null))).status).toBe(204);
});

describe('the ledger over HTTP', () => {
  const look = (name: string, query = '') => gateway.fetch(`/.lictor/api/v1/audit${query}`, { token: tokens.get(name) ?? '' });

  it('is for auditors of everything: what was refused is found by who it was, and looking is a record', async () => {
    const found = await look('auditor', '?principal=token:deployer&decision=deny&limit=1');
    expect([found.status, found.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const page: unknown = await found.json();
    const [record] = list(field(page, 'records'));
    expect(record).toMatchObject({ principal: 'token:deployer', decision: 'deny' });
    expect(field(page, 'next')).toBe(field(record, 'id'));
    const after = await look('auditor', `?action=ledger.read&after=${text(field(page, 'next'))}`);
    expect(list(field(await after.json(), 'records'))).toContainEqual(expect.objectContaining({ principal: 'token:auditor', decision: 'allow', status: 200 }));
    expect((await look('auditor', '?limit=1001')).status).toBe(400);
  });

  it.each(['scoped auditor', 'operator', 'deployer'])('shows a %s of team A the records about its own objects, and no name of team B', async (name) => {
    const found = await look(name, '?limit=1000');
    const raw = await found.text();
    expect([found.status, list(field(JSON.parse(raw), 'records')).length > 0], raw).toEqual([200, true]);
    expect(b.secrets.filter((secret) => raw.includes(secret))).toEqual([]);
    expect(raw).not.toContain('token:other');
  });

  it.each(['worker', 'nobody'])('twin: is not for %s', async (name) => {
    const refused = await look(name);
    expect(refused.status).toBe(name === 'nobody' ? 401 : 403);
    expect(await refused.text()).not.toContain('token:deployer');
  });
});

describe('a task run of team A', () => {
  const runOf = async (team: Team, more: object = {}) =>
    id(await server.post('/flow_runs/', { flow_id: team.flow, tags: [team.tag], state: { type: 'RUNNING' }, ...more }));
  const taskOf = async (run: string, tags: readonly string[] = []) =>
    id(await server.post('/task_runs/', { flow_run_id: run, task_key: 'k', dynamic_key: randomUUID(), tags }));
  const begin = (name: string, task: string, state_details: object = {}) =>
    send(name, 'POST', `/task_runs/${task}/set_state`, { state: { type: 'RUNNING', state_details } });
  const holders = async (team: Team) => list(field(await server.get(`/concurrency_limits/tag/${team.mark}-limited`), 'active_slots')).length;

  // The case that the run takes a slot of its team is missing: on SQLite, Prefect's nested transaction then waits for itself for a minute.
  it('begins with no slot of a limit of team B, and where its tags have no limit as ever', async () => {
    const run = await runOf(a);
    const before = await holders(b);
    const [theirs, free] = [await taskOf(run, [`${b.mark}-limited`]), await taskOf(run, [`${b.mark}-unlimited`, a.tag])];
    expectRefused(await begin('tasks', theirs), theirs);
    expect(await holders(b)).toBe(before);
    const begun = await begin('tasks', free);
    expect([begun.status, field(JSON.parse(begun.raw), 'status')], begun.raw).toEqual([201, 'ACCEPT']);
  });

  it('gets no state of team B from the cache of the server, and leaves none there', async () => {
    const [run, foreign] = [await runOf(a), await runOf(b)];
    const [key, left] = [`key-${randomUUID()}`, `left-${randomUUID()}`];
    const cached = await taskOf(foreign);
    const done = { type: 'COMPLETED', message: `${b.mark} result`, state_details: { cache_key: key } };
    await server.post(`/task_runs/${cached}/set_state`, { state: { type: 'RUNNING' } });
    await server.post(`/task_runs/${cached}/set_state`, { state: done });
    const begun = await begin('tasks', await taskOf(run), { cache_key: key });
    expect([begun.status, field(field(JSON.parse(begun.raw), 'state'), 'type')]).toEqual([201, 'RUNNING']);
    expect(begun.raw).not.toContain(`${b.mark} result`);
    // What Prefect does by itself.
    expect((await begin('whole', await taskOf(run), { cache_key: key })).raw).toContain(`${b.mark} result`);
    const leaving = { type: 'COMPLETED', state_details: { cache_key: left, deferred: true } };
    const parent = await taskOf(run);
    const child = await runOf(a, { parent_task_run_id: parent });
    for (const path of [`/task_runs/${await taskOf(run)}/set_state`, `/flow_runs/${child}/set_state`])
      expect((await send('tasks', 'POST', path, { state: leaving })).status).toBe(201);
    const after = await begin('whole', await taskOf(foreign), { cache_key: left });
    expect(field(field(JSON.parse(after.raw), 'state'), 'type')).toBe('RUNNING');
  });
});
