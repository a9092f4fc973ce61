// Roles that hold on some objects only, before a real Prefect: two teams on one server, everything of one and nothing of the other.
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/contract/operation.ts';
import { OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text, withPatience } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `sc${Date.now().toString(36)}`;

interface Team {
  readonly tag: string;
  readonly pool: string;
  readonly flow: string;
  readonly flowName: string;
  readonly deployment: string;
  readonly run: string;
  readonly task: string;
  readonly artifact: string;
  readonly variable: string;
  readonly block: string;
  readonly limit: string;
  readonly automation: string;
  readonly queue: string;
  readonly queueName: string;
}

const tokens = new Map<string, string>();
let gateway: Gateway;
let a: Team;
let b: Team;

beforeAll(async () => {
  [a, b] = await Promise.all([makeTeam('a'), makeTeam('b')]);
  gateway = await startGateway({ upstream: prefect, config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  const named = ['variable', 'block', 'automation', 'concurrency_limit'].flatMap((key) => ['--scope', `${key}=${mark}${key === 'variable' ? '_' : '-'}a*`]);
  const tag = ['--scope', `tag=${a.tag}`];
  const create = async (name: string, role: string, ...args: string[]) => tokens.set(name, (await gateway.token(name, [role], ...args)).secret);
  await create('all', 'admin', ...tag, '--pool', a.pool, ...named);
  await create('operator', 'operator', ...tag);
  await create('deployer', 'deployer', ...tag, '--pool', a.pool);
  await create('worker', 'worker', '--pool', a.pool);
  await create('own', 'deployer', '--scope', 'own');
  await create('whole', 'admin');
});
afterAll(() => gateway?.close());

async function makeTeam(name: string): Promise<Team> {
  const [tag, pool, flowName] = [`${mark}-team-${name}`, `${mark}-pool-${name}`, `${mark}-flow-${name}`];
  const id = async (path: string, body: unknown) => text(field(await server.post(path, body), 'id'));
  await server.post('/work_pools/', { name: pool, type: 'process' });
  const flow = await id('/flows/', { name: flowName });
  const deployment = await id('/deployments/', { name: 'nightly', flow_id: flow, tags: [tag], work_pool_name: pool });
  const run = await id(`/deployments/${deployment}/create_flow_run`, {});
  const task = await id('/task_runs/', { flow_run_id: run, task_key: 'x', dynamic_key: '0' });
  const artifact = await id('/artifacts/', { key: `${mark}-${name}`, type: 'markdown', data: 'x', flow_run_id: run });
  const variable = `${mark}_${name}`;
  await server.post('/variables/', { name: variable, value: 1 });
  const type = field(await server.get('/block_types/slug/secret'), 'id');
  const schema = field(list(await server.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type] } } }))[0], 'id');
  const block = await id('/block_documents/', { name: `${mark}-${name}`, data: { value: 'x' }, block_type_id: type, block_schema_id: schema });
  const limit = `${mark}-${name}`;
  await server.post('/v2/concurrency_limits/', { name: limit, limit: 1 });
  await server.post('/concurrency_limits/', { tag: limit, concurrency_limit: 1 });
  const trigger = { type: 'event', posture: 'Reactive', threshold: 1, within: 0, expect: [`${mark}.never`] };
  const automation = await id('/automations/', { name: `${mark}-${name}`, trigger, actions: [{ type: 'do-nothing' }], enabled: false });
  const queueName = `${mark}-queue-${name}`;
  const queue = await id(`/work_pools/${pool}/queues`, { name: queueName });
  return { tag, pool, flow, flowName, deployment, run, task, artifact, variable, block, limit, automation, queue, queueName };
}

interface Answer {
  readonly status: number;
  readonly raw: string;
  readonly type: string | null;
  readonly requestId: string;
}

async function send(token: string, method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Answer> {
  const json = body !== undefined && { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await gateway.fetch(path, { method, token: tokens.get(token) ?? '', ...json, ...init });
  return answerOf(response);
}

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = {
    authorization: `Basic ${Buffer.from(prefect.authString).toString('base64')}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  return answerOf(await withPatience(() => fetch(`${prefect.url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })));
}

async function answerOf(response: Response): Promise<Answer> {
  return {
    status: response.status,
    raw: await response.text(),
    type: response.headers.get('content-type'),
    requestId: response.headers.get('x-request-id') ?? '',
  };
}

const code = ({ raw }: Answer): unknown => (raw.startsWith('{') ? field(JSON.parse(raw), 'code') : undefined);

/** What names an object of the team in an operation's path; undefined: kinds that are no team's. */
function paramsOf(team: Team, { resource, idParam, uuids, path }: Operation): Readonly<Record<string, string>> | undefined {
  if (idParam === null) return undefined;
  const byId = uuids.includes(idParam);
  const slug = { slug: 'secret', block_document_name: `${mark}-${team === a ? 'a' : 'b'}` };
  const queue = { work_pool_name: team.pool, name: team.queueName };
  const kinds: Partial<Record<Operation['resource'], Readonly<Record<string, string>>>> = {
    Flow: byId ? { id: team.flow } : { name: team.flowName },
    FlowRun: { id: team.run, key: 'k' },
    TaskRun: { id: team.task },
    Deployment: byId ? { id: team.deployment, schedule_id: randomUUID() } : { flow_name: team.flowName, deployment_name: 'nightly' },
    WorkPool: { name: team.pool, work_pool_name: team.pool },
    WorkQueue: byId ? { id: team.queue } : queue,
    Worker: { work_pool_name: team.pool, name: 'w' },
    Artifact: byId ? { id: team.artifact } : { key: `${mark}-${team === a ? 'a' : 'b'}` },
    Automation: { id: team.automation },
    Variable: byId ? { id: '' } : { name: team.variable },
    BlockDocument: byId ? { id: team.block } : slug,
    ConcurrencyLimit: path.includes('{id}') ? { id: '' } : { tag: team.limit, id_or_name: team.limit },
  };
  return kinds[resource];
}

/** A body that Prefect takes. */
function bodyOf({ method, path }: Operation): unknown {
  if (method === 'GET' || method === 'DELETE') return undefined;
  const bodies: readonly (readonly [string, unknown])[] = [
    ['/set_state', { state: { type: 'CANCELLED' } }],
    ['/labels', { a: 'b' }],
    ['/create_flow_run/bulk', [{}]],
    ['/schedules', [{ schedule: { interval: 3600 } }]],
    ['/schedules/{schedule_id}', { active: true }],
    ['/input', { key: 'k', value: 'v' }],
    ['/input/filter', { prefix: 'k', limit: 1, exclude_keys: [] }],
    ['/queues', { name: 'q' }],
    ['/heartbeat', { name: 'w' }],
    [
      '/automations/{id}',
      method === 'PUT'
        ? { name: `${mark}-a-x`, trigger: { type: 'event', posture: 'Reactive', threshold: 1, within: 0, expect: ['x'] }, actions: [] }
        : { enabled: true },
    ],
  ];
  return bodies.find(([end]) => path.endsWith(end))?.[1] ?? {};
}

function fill({ path, uuids }: Operation, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? (uuids.includes(name) ? randomUUID() : 'x')));
}

/** Prefect has no 404 for these: an empty list, null and a 500. */
const WITHOUT_404 = [
  'filter_flow_run_input_flow_runs__id__input_filter_post',
  'schedule_deployment_deployments__id__schedule_post',
  'resume_flow_run_flow_runs__id__resume_post',
];
/** Named through the owner, not by themselves. */
const BY_OWNER = ['delete_automations_owned_by_resource_automations_owned_by__resource_id__delete'];

const NAMED = OPERATIONS.filter(({ operationId, idParam, taken, resource }) => {
  const shared = ['BlockType', 'Collection', 'SavedSearch', 'Ui', 'System'].includes(resource);
  return idParam !== null && taken !== 'relay' && taken !== 'deny' && !shared && !BY_OWNER.includes(operationId);
});

/** Looks up by name the ids that are not known from above. */
async function idsOf(operation: Operation, team: Team): Promise<Readonly<Record<string, string>>> {
  const params = paramsOf(team, operation) ?? {};
  if (params['id'] !== '') return params;
  if (operation.resource === 'Variable') return { id: text(field(await server.get(`/variables/name/${team.variable}`), 'id')) };
  return { id: text(field(await server.get(`/concurrency_limits/tag/${team.limit}`), 'id')) };
}

describe('an object of another team', () => {
  it.each(NAMED.map((operation) => [operation.operationId, operation] as const))('%s is as if it were not there', async (operationId, operation) => {
    const params = await idsOf(operation, b);
    const body = bodyOf(operation);
    const foreign = await send('all', operation.method, fill(operation, params), body);
    expect([foreign.status, foreign.type], foreign.raw).toEqual([404, 'application/json']);
    if (WITHOUT_404.includes(operationId)) return;
    const absentParams = Object.fromEntries(
      Object.entries(params).map(([key, value]) => [key, key === 'slug' ? value : operation.uuids.includes(key) ? randomUUID() : `${mark}-none-${key}`]),
    );
    const absent = await ask(operation.method, fill(operation, absentParams), body);
    let expected = absent.raw;
    for (const [key, value] of Object.entries(absentParams)) expected = expected.replaceAll(value, params[key] ?? '');
    expect([absent.status, absent.type]).toEqual([404, 'application/json']);
    expect(foreign.raw).toBe(expected);
  });

  it('is in the record with its reason, which the client does not get', async () => {
    const { requestId } = await send('operator', 'GET', `/api/flow_runs/${b.run}`);
    const record = await waitFor(
      async () => jsonLines(await gateway.lictorOk('audit', '--last', '50', '--json')).find((line) => line['request_id'] === requestId),
      {
        what: 'the record',
        timeoutMs: 30_000,
      },
    );
    expect(record).toMatchObject({ decision: 'deny', reason: 'object-foreign', status: 404, principal: 'token:operator' });
  });

  it('has lost nothing', async () => {
    for (const path of [
      `/flow_runs/${b.run}`,
      `/deployments/${b.deployment}`,
      `/work_pools/${b.pool}`,
      `/variables/name/${b.variable}`,
      `/automations/${b.automation}`,
      `/flows/${b.flow}`,
    ]) {
      await server.get(path);
    }
    expect(await server.runState(b.run)).toBe('SCHEDULED');
  });
});

describe('an own object', () => {
  const reads = NAMED.filter(
    ({ method, group, operationId }) => method === 'GET' && group === 'read' && !/input__key|schedule_id|download|name__name__get_/.test(operationId),
  );

  it.each(reads.map((operation) => [operation.operationId, operation] as const))('%s is there', async (_, operation) => {
    const { status, raw } = await send('all', 'GET', fill(operation, await idsOf(operation, a)));
    expect(status, raw).toBe(200);
  });

  it('is run and cancelled', async () => {
    const created = await send('operator', 'POST', `/api/deployments/${a.deployment}/create_flow_run`, {});
    expect(created.status, created.raw).toBe(201);
    const id = text(field(JSON.parse(created.raw), 'id'));
    expect((await send('operator', 'POST', `/api/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' }, force: true })).status).toBe(201);
    await server.awaitRunState(id, ['CANCELLING', 'CANCELLED']);
    expect((await send('operator', 'GET', `/api/flows/${a.flow}`)).status).toBe(200);
  });

  it('is seen as another team’s soon after it was moved there, and at once when it was moved through the gateway', async () => {
    const id = text(field(await server.post('/deployments/', { name: 'moved', flow_id: a.flow, tags: [a.tag] }), 'id'));
    const path = `/api/deployments/${id}`;
    expect((await send('operator', 'GET', path)).status).toBe(200);
    await ask('PATCH', path, { tags: [b.tag] });
    await waitFor(async () => (await send('operator', 'GET', path)).status === 404, { what: 'the move to be seen', timeoutMs: 60_000 });
    expect((await send('operator', 'POST', `${path}/create_flow_run`, {})).status).toBe(404);
    expect((await send('whole', 'PATCH', path, { tags: [a.tag] })).status).toBe(204);
    expect((await send('operator', 'GET', path)).status).toBe(200);
  });
});

describe('BD-01: job variables of a role that may only run', () => {
  const one = () => `/api/deployments/${a.deployment}/create_flow_run`;
  const variables = { command: 'id', image: 'x', env: { X: '1' } };
  const plain = JSON.stringify({ job_variables: variables });
  const type = (value: string, more = {}) => ({ headers: { 'content-type': value, ...more } });
  const streamed = (): RequestInit => {
    const body = new ReadableStream({
      start(controller) {
        for (const letter of plain) controller.enqueue(new TextEncoder().encode(letter));
        controller.close();
      },
    });
    // Node's own: a stream goes out chunked.
    return { ...type('application/json'), body, duplex: 'half' } as RequestInit;
  };
  const runs = () => server.post('/flow_runs/count', { deployments: { id: { any_: [a.deployment] } } });

  it.each<readonly [string, number, () => Promise<Answer>]>([
    ['whole', 403, () => send('operator', 'POST', one(), { job_variables: variables })],
    ['one alone', 403, () => send('operator', 'POST', one(), { job_variables: { env: { A: 'b' } } })],
    ['by a dotted key', 422, () => send('operator', 'POST', one(), { 'job_variables.command': 'id' })],
    [
      'inside the parameters',
      403,
      () => send('operator', 'POST', one(), { parameters: { x: { __prefect_kind: 'workspace_variable', variable_name: b.variable } } }),
    ],
    ['by a key that stands twice', 400, () => send('operator', 'POST', one(), `{"job_variables":{},"job_variables":${JSON.stringify(variables)}}`)],
    [
      'compressed',
      415,
      () => send('operator', 'POST', one(), undefined, { ...type('application/json', { 'content-encoding': 'gzip' }), body: gzipSync(plain) }),
    ],
    ['in chunks', 403, () => send('operator', 'POST', one(), undefined, streamed())],
    ['as text', 415, () => send('operator', 'POST', one(), undefined, { ...type('text/plain'), body: plain })],
    ['in a body of 20 MB', 413, () => send('operator', 'POST', one(), { job_variables: { env: { X: 'x'.repeat(20_000_000) } } })],
    ['one of many', 403, () => send('operator', 'POST', `${one()}/bulk`, [{}, { job_variables: variables }])],
    [
      'by the second way',
      403,
      () => send('operator', 'POST', '/api/flow_runs/', { flow_id: a.flow, deployment_id: a.deployment, tags: [a.tag], job_variables: variables }),
    ],
    ['by a change of the run', 403, () => send('operator', 'PATCH', `/api/flow_runs/${a.run}`, { job_variables: variables })],
  ])('%s: %i, and no run', async (_, status, request) => {
    const before = await runs();
    const answer = await request();
    expect(answer.status, answer.raw).toBe(status);
    expect(await runs()).toBe(before);
  });

  it('with the separate right they are accepted, and recorded', async () => {
    const answer = await send('deployer', 'POST', one(), { job_variables: variables });
    expect(answer.status, answer.raw).toBe(201);
    const run = text(field(JSON.parse(answer.raw), 'id'));
    expect(field(await server.get(`/flow_runs/${run}`), 'job_variables')).toEqual(variables);
    expect(jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json'))).toContainEqual(
      expect.objectContaining({ decision: 'allow', principal: 'token:deployer' }),
    );
  });
});

describe('a deployer', () => {
  const body = () => ({ name: randomUUID(), flow_id: a.flow, tags: [a.tag], work_pool_name: a.pool });

  it.each([
    ['with its tag into its pool', {}, 201],
    ['into another pool', { work_pool_name: true }, 403],
    ['without its tag', { tags: [] }, 403],
  ])('creates a deployment %s', async (_, change, status) => {
    const { work_pool_name: elsewhere, ...more } = { work_pool_name: undefined, ...change };
    const answer = await send('deployer', 'POST', '/api/deployments/', { ...body(), ...more, ...(elsewhere && { work_pool_name: b.pool }) });
    expect(answer.status, answer.raw).toBe(status);
    if (status === 403) expect(code(answer)).toBe('scope-excludes');
  });

  it('moves none into another pool or tag', async () => {
    const id = text(field(JSON.parse((await send('deployer', 'POST', '/api/deployments/', body())).raw), 'id'));
    for (const change of [{ work_pool_name: b.pool }, { tags: [b.tag] }])
      expect(code(await send('deployer', 'PATCH', `/api/deployments/${id}`, change))).toBe('scope-excludes');
    expect((await send('deployer', 'PATCH', `/api/deployments/${id}`, { description: 'x' })).status).toBe(204);
    expect(await server.get(`/deployments/${id}`)).toMatchObject({ tags: [a.tag], work_pool_name: a.pool, description: 'x' });
  });
});

describe('a worker of a pool', () => {
  const poll = (pool: string) => send('worker', 'POST', `/api/work_pools/${pool}/get_scheduled_flow_runs`, { limit: 1 });

  it('polls its own pool, and there is no other', async () => {
    expect((await poll(a.pool)).status).toBe(200);
    expect(await poll(b.pool)).toMatchObject({ status: 404 });
    expect((await send('worker', 'POST', `/api/work_pools/${a.pool}/workers/heartbeat`, { name: 'w' })).status).toBe(204);
    expect((await send('worker', 'POST', `/api/work_pools/${b.pool}/workers/heartbeat`, { name: 'w' })).status).toBe(404);
  });

  it('reads and steers the runs in it, their flow and deployment, and writes their logs', async () => {
    for (const path of [`flow_runs/${a.run}`, `flows/${a.flow}`, `deployments/${a.deployment}`, `work_pools/${a.pool}`, `work_queues/${a.queue}`]) {
      expect((await send('worker', 'GET', `/api/${path}`)).status, path).toBe(200);
    }
    const log = (run: string) => [{ name: 'x', level: 20, message: mark, timestamp: new Date().toISOString(), flow_run_id: run }];
    expect((await send('worker', 'POST', '/api/logs/', log(a.run))).status).toBe(201);
    expect(code(await send('worker', 'POST', '/api/logs/', log(b.run)))).toBe('scope-excludes');
    expect(await server.logMessages(b.run)).not.toContain(mark);
    expect((await send('worker', 'POST', `/api/flow_runs/${b.run}/set_state`, { state: { type: 'PENDING' } })).status).toBe(404);
  });
});

describe('own: what the principal itself has made', () => {
  it('is its own to read and change, and nobody else has made it', async () => {
    const made = await send('own', 'POST', '/api/variables/', { name: `${mark}_own`, value: 1 });
    expect(made.status, made.raw).toBe(201);
    expect((await send('own', 'GET', `/api/variables/name/${mark}_own`)).status).toBe(200);
    expect((await send('own', 'DELETE', `/api/variables/name/${mark}_own`)).status).toBe(204);
    expect((await send('own', 'GET', `/api/variables/name/${a.variable}`)).status).toBe(404);
  });

  it('has separate lists', async () => {
    const listed = async (path: string, body: unknown = {}) => JSON.parse((await send('own', 'POST', `/api${path}`, body)).raw);
    // Its name gives the flow's id; the id alone would not.
    expect((await send('own', 'POST', '/api/flows/', { name: a.flowName })).status).toBe(201);
    const made = await send('own', 'POST', '/api/variables/', { name: `${mark}_listed`, value: 1 });
    const runs = await Promise.all([1, 2].map(() => send('own', 'POST', '/api/flow_runs/', { flow_id: a.flow, tags: ['own'], state: { type: 'RUNNING' } })));
    const ids = runs.map(({ raw }) => text(field(JSON.parse(raw), 'id')));
    expect(made.status).toBe(201);
    expect(await listed('/variables/filter')).toMatchObject([{ name: `${mark}_listed` }]);
    expect(await listed('/variables/count')).toBe(1);
    const named = (found: unknown) => list(found).map((run) => field(run, 'id'));
    const ours = { flow_runs: { id: { any_: [...ids, a.run, b.run] } } };
    expect(named(await listed('/flow_runs/filter', ours)).sort()).toEqual([...ids].sort());
    expect(await listed('/flow_runs/count', ours)).toBe(2);
    const all = named(await listed('/flow_runs/filter'));
    expect([ids.every((id) => all.includes(id)), all.includes(a.run), all.includes(b.run)]).toEqual([true, false, false]);
    expect(await listed('/flow_runs/paginate', { ...ours, limit: 1, page: 2 })).toMatchObject({ count: 2, pages: 2, results: [{}] });
    expect(await listed('/deployments/filter')).toEqual([]);
    expect((await send('own', 'DELETE', `/api/variables/name/${mark}_listed`)).status).toBe(204);
  });

  it('a run by the label that only the gateway writes', async () => {
    const run = async (token: string) =>
      text(
        field(
          JSON.parse((await send(token, 'POST', '/api/flow_runs/', { flow_id: a.flow, tags: ['own'], labels: { 'lictor.principal': 'token:own' } })).raw),
          'id',
        ),
      );
    expect((await send('own', 'POST', '/api/flows/', { name: a.flowName })).status).toBe(201);
    expect((await send('own', 'GET', `/api/flow_runs/${await run('own')}`)).status).toBe(200);
    expect((await send('own', 'GET', `/api/flow_runs/${await run('whole')}`)).status).toBe(404);
  });
});
