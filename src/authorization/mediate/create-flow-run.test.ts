import { describe, expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, forbid, json, type Options, RUN, startMediator } from './mediator.fixture.ts';
import type { MediatorParts } from './mediator.ts';

const PATH = `/api/deployments/${DEPLOYMENT}/create_flow_run`;
const CREATED: Options = {
  prefect: ({ method }) => (method === 'GET' ? { status: 404 } : { status: 201, body: json({ id: RUN, deployment_id: DEPLOYMENT }) }),
};
/** As `prefect deployment run` of 3.9.1 sends it. */
const STOCK = {
  state: { type: 'SCHEDULED', name: 'Scheduled', message: null, state_details: { scheduled_time: '2026-11-25T01:48:00Z', traceparent: null }, data: null },
  name: null,
  parameters: {},
  context: {},
  tags: ['a'],
  idempotency_key: null,
  parent_task_run_id: null,
  job_variables: {},
  labels: {},
};

async function outcome(role: string, body: unknown, options: Options = CREATED): Promise<string | number> {
  const response = await startMediator(options).send({ role, path: PATH, body });
  return response.status < 300 ? response.status : codeOf(response);
}

describe('create_flow_run', () => {
  it("stamps who, for whom and which request, and drops the client's own reserved labels", async () => {
    const gate = startMediator({ ...CREATED, onBehalfOf: ['alice@local', 'bob@local'] });
    await gate.send({ role: 'operator', path: PATH, body: { ...STOCK, labels: { team: 'a', 'lictor.principal': 'root', 'lictor.x': 1 } } });
    expect(gate.last()).toMatchObject({
      labels: { team: 'a', 'lictor.principal': 'token:operator', 'lictor.on_behalf_of': 'alice@local,bob@local', 'lictor.request_id': 'r1' },
    });
    expect(gate.last()).not.toHaveProperty(['labels', 'lictor.x']);
    await gate.send({ role: 'operator', path: PATH, body: { ...STOCK, labels: null } });
    expect(gate.last()).toMatchObject({ labels: { 'lictor.principal': 'token:operator' } });
  });

  it('leaves the rest of the body as it was', async () => {
    const gate = startMediator(CREATED);
    const { labels: _labels, ...rest } = STOCK;
    await gate.send({ role: 'run', path: PATH, body: `{"parameters":{"n":12345678901234567890,"x":1.0},"labels":{}}` });
    expect(gate.forwarded.at(-1)?.body?.toString()).toContain('"parameters":{"n":12345678901234567890,"x":1.0}');
    await gate.send({ role: 'run', path: PATH, body: STOCK });
    expect(gate.last()).toMatchObject(rest);
  });

  it('binds the new run as verified, and never a replay', async () => {
    const fresh = startMediator(CREATED);
    await fresh.send({ role: 'operator', path: PATH, body: STOCK });
    expect(fresh.record()).toMatchObject({ flow_run_id: RUN, run_binding: 'verified', deployment_id: DEPLOYMENT, action: 'deployments.run' });
    const replay = startMediator({ prefect: () => ({ status: 200, body: json({ id: RUN }) }) });
    await replay.send({ role: 'operator', path: PATH, body: { ...STOCK, idempotency_key: 'k' } });
    expect(replay.record()).toMatchObject({ flow_run_id: null, run_binding: 'none', status: 200 });
  });

  it('an existing run of the same key goes only to a principal that may read it, and no other record names it', async () => {
    const earlier = (labels: object): Options => ({
      prefect: ({ method }) => ({ body: json({ id: RUN, parameters: { secret: 'x' }, ...(method === 'GET' && { labels }) }) }),
    });
    const theirs = { 'lictor.principal': 'token:other', 'lictor.request_id': 'r0' };
    const keyed = { ...STOCK, idempotency_key: 'k' };
    for (const [path, body] of [
      [PATH, keyed],
      ['/api/flow_runs/', { flow_id: RUN, idempotency_key: 'k' }],
    ] as const) {
      const reader = startMediator(earlier(theirs));
      expect(await reader.send({ role: 'deployer', path, body })).toMatchObject({ status: 200 });
      const blind = startMediator({ ...earlier(theirs), policies: forbid('flow_runs.read') });
      const response = await blind.send({ role: 'deployer', path, body });
      expect([response.status, codeOf(response), response.body.includes(RUN)]).toEqual([403, 'run-foreign', false]);
      expect(blind.record()).toMatchObject({ status: 403, decision: 'deny', reason: 'run-foreign', flow_run_id: null, run_binding: 'none' });
      expect(JSON.stringify([...blind.records])).not.toContain(RUN);
    }
    // What a repeated try of this very request finds is its own.
    const again = startMediator({ ...earlier({ 'lictor.request_id': 'r1' }), policies: forbid('flow_runs.read') });
    expect(await again.send({ role: 'operator', path: PATH, body: keyed })).toMatchObject({ status: 200 });
    // A new run is its maker's to see.
    const fresh = startMediator({ ...CREATED, policies: forbid('flow_runs.read') });
    expect(await fresh.send({ role: 'operator', path: PATH, body: keyed })).toMatchObject({ status: 201 });
  });

  it('shows no earlier run while Prefect cannot say whose it is', async () => {
    const gone: Options = { prefect: ({ method }) => (method === 'GET' ? { status: 500 } : { body: json({ id: RUN }) }), policies: forbid('flow_runs.read') };
    const response = await startMediator(gone).send({ role: 'operator', path: PATH, body: { ...STOCK, idempotency_key: 'k' } });
    expect([response.status, codeOf(response), response.headers['prefect-maintenance']]).toEqual([503, 'upstream-unavailable', undefined]);
    const unread: Options = { prefect: () => ({ body: Buffer.from('[]') }), policies: forbid('flow_runs.read') };
    expect(codeOf(await startMediator(unread).send({ role: 'operator', path: PATH, body: { ...STOCK, idempotency_key: 'k' } }))).toBe('run-foreign');
  });

  it.each(['worker', 'run', 'deployer', 'admin'])('%s may start it below a task run, whose states it sets', async (role) => {
    expect(await outcome(role, { ...STOCK, parent_task_run_id: RUN })).toBe(201);
    const policies = forbid('task_runs.set_state', `TaskRun::"${RUN}"`);
    expect(await outcome(role, { ...STOCK, parent_task_run_id: RUN }, { ...CREATED, policies })).toBe('policy-forbids');
    expect(await outcome(role, { ...STOCK, parent_task_run_id: DEPLOYMENT }, { ...CREATED, policies })).toBe(201);
  });

  it.each(['operator', 'agent'])('%s may not: the states of a task run are not its to set', async (role) => {
    expect(await outcome(role, { ...STOCK, parent_task_run_id: RUN })).toBe('policy-default-deny');
    expect(await outcome(role, STOCK)).toBe(201);
  });

  it.each(['operator', 'deployer', 'worker', 'run', 'admin'])('%s may run with parameters', async (role) => {
    expect(await outcome(role, { ...STOCK, parameters: { n: 1 } })).toBe(201);
  });

  it('viewer may not run at all', async () => {
    expect(await outcome('viewer', STOCK)).toBe('policy-default-deny');
    expect(await outcome('viewer', 'no json')).toBe('policy-default-deny');
  });

  it('a refusal of job_variables says so, and which role may', async () => {
    const response = await startMediator(CREATED).send({ role: 'operator', path: PATH, body: { ...STOCK, job_variables: { image: 'x' } } });
    expect(JSON.parse(response.body.toString())).toMatchObject({
      detail: 'token:operator (operator) may not start runs with job_variables, another queue or another state (deployments.run.override); role deployer may.',
      code: 'policy-default-deny',
    });
  });

  const overrides: [string, object][] = [
    ['job_variables.image', { job_variables: { image: 'evil' } }],
    ['job_variables.command', { job_variables: { command: 'id' } }],
    ['job_variables.env, dotted', { job_variables: { 'env.PATH': '/tmp' } }],
    ['a queue', { work_queue_name: 'other' }],
    ['no parameter schema', { enforce_parameter_schema: false }],
    ['an initial state', { state: { type: 'PENDING' } }],
    ['an initial state in another spelling', { state: { type: 'scheduled' } }],
    ['a state with a result', { state: { type: 'SCHEDULED', data: { type: 'reference', storage_key: 'x' } } }],
    ['an infrastructure document', { infrastructure_document_id: RUN }],
  ];
  it.each(overrides)('BD-01: %s needs a separate right: deployer, not operator', async (_name, more) => {
    expect(await outcome('operator', { ...STOCK, ...more })).toBe('policy-default-deny');
    expect(await outcome('run', { ...STOCK, ...more })).toBe('policy-default-deny');
    expect(await outcome('deployer', { ...STOCK, ...more })).toBe(201);
  });

  it('BD-01: is not fooled by duplicates, encodings, types and size', async () => {
    expect(await outcome('operator', '{"job_variables":{"image":"x"},"job_variables":{}}')).toBe('body-not-json');
    expect(await outcome('operator', '{"job_variables":{},"job\\u005fvariables":{"image":"x"}}')).toBe('body-not-json');
    expect(await outcome('operator', '{"job\\u005fvariables":{"image":"x"}}')).toBe('policy-default-deny');
    const gate = startMediator(CREATED);
    const body = JSON.stringify({ job_variables: { image: 'x' } });
    expect(codeOf(await gate.send({ role: 'operator', path: PATH, body, headers: { 'content-type': 'text/plain' } }))).toBe('content-type-unsupported');
    expect(codeOf(await gate.send({ role: 'operator', path: PATH, body, headers: { 'content-encoding': 'gzip' } }))).toBe('content-encoding-unsupported');
    const padded = JSON.stringify({ parameters: { pad: 'x'.repeat(9_000_000) }, job_variables: { image: 'x' } });
    expect(codeOf(await gate.send({ role: 'operator', path: PATH, body: padded }))).toBe('body-too-large');
    expect(gate.forwarded).toEqual([]);
  });

  const own: Options = {
    prefect: ({ method }) =>
      method === 'GET'
        ? { body: Buffer.from('{"job_variables":{"image":"a","cpu":1.0},"work_queue_name":"default","enforce_parameter_schema":false}') }
        : { status: 201, body: json({ id: RUN }) },
  };
  it("takes the deployment's own settings, which the UI repeats, for no override", async () => {
    const repeated = '{"job_variables":{"cpu":1.0,"image":"a"},"work_queue_name":"default","enforce_parameter_schema":false,"state":{"type":"SCHEDULED"}}';
    expect(await outcome('operator', repeated, own)).toBe(201);
    expect(await outcome('operator', repeated.replace('"a"', '"b"'), own)).toBe('policy-default-deny');
    expect(await outcome('operator', repeated.replace('"cpu"', '"__proto__"'), own)).toBe('policy-default-deny');
    expect(await outcome('operator', repeated.replace('"default"', '"fast"'), own)).toBe('policy-default-deny');
  });

  it('looks the deployment up only when the body may override it', async () => {
    const gate = startMediator(own);
    await gate.send({ role: 'operator', path: PATH, body: STOCK });
    expect(gate.forwarded.map(({ method }) => method)).toEqual(['POST']);
    await gate.send({ role: 'operator', path: PATH, body: { job_variables: { image: 'a' } } });
    expect(gate.forwarded.map(({ method, path }) => `${method} ${path}`).slice(1)).toEqual([`GET /api/deployments/${DEPLOYMENT}`, `POST ${PATH}`]);
  });

  it("refuses fields that carry a right in the wrong type, and the scheduler's keys", async () => {
    for (const more of [
      { enforce_parameter_schema: 'off' },
      { enforce_parameter_schema: 0 },
      { state: 'SCHEDULED' },
      { state: { type: 1 } },
      { state: [] },
      { labels: [] },
      { labels: 'x' },
      { idempotency_key: `scheduled ${DEPLOYMENT} x` },
    ]) {
      expect(await outcome('admin', { ...STOCK, ...more })).toBe('body-invalid');
    }
    for (const body of [undefined, [], 'null', '1']) expect(await outcome('admin', body)).toBe('body-invalid');
    expect(await outcome('admin', { ...STOCK, idempotency_key: 'my scheduled run' })).toBe(201);
  });

  it('asks for reading variables when parameters are made from them', async () => {
    const asked: string[] = [];
    const decider = spyingDecider(asked);
    const gate = startMediator({ ...CREATED, parts: { decider } });
    await gate.send({ role: 'operator', path: PATH, body: { parameters: { a: [{ deep: { __prefect_kind: 'workspace_variable' } }] } } });
    expect(asked).toEqual(['deployments.run', 'deployments.run.parameters', 'variables.read']);
    asked.length = 0;
    await gate.send({ role: 'operator', path: PATH, body: { parameters: { a: '__prefect_kind' } } });
    expect(asked).toEqual(['deployments.run', 'deployments.run.parameters']);
  });
});

/** Allows the route, writes down what is asked, and allows none of it. */
function spyingDecider(asked: string[]): MediatorParts['decider'] {
  const principal = { id: 'token:x', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: 'c', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
  return {
    readsParameters: false,
    precheck: async () => ({ ok: true, principal, credential, decisions: [], restrictions: [], entities: [] }),
    async authorizeNow(_inputs, asks) {
      asked.push(...asks.map(({ action }) => action));
      return { ok: false, reason: 'policy-forbids', principal, credential, credentialId: 'c', decisions: [] };
    },
  };
}

describe('create_flow_run/bulk', () => {
  const bulk = `${PATH}/bulk`;
  const results = (ids: readonly (string | null)[]): Options => ({
    prefect: () => ({ body: json({ results: ids.map((id) => ({ flow_run_id: id, status: id === null ? 'FAILED' : 'CREATED' })) }) }),
  });

  it('stamps every run, and records each that it created', async () => {
    const gate = startMediator(results(['a', null, 'c', 'd']));
    const body = [STOCK, STOCK, STOCK, { ...STOCK, idempotency_key: 'k' }];
    expect(await gate.send({ role: 'operator', path: bulk, body })).toMatchObject({ status: 200 });
    expect(gate.last()).toEqual(body.map((item) => ({ ...item, labels: { 'lictor.principal': 'token:operator', 'lictor.request_id': 'r1' } })));
    expect([...gate.records].map(([id, record]) => [id, record.flow_run_id, record.run_binding])).toEqual([
      ['r1', null, 'none'],
      ['r1.1', 'a', 'verified'],
      ['r1.2', 'c', 'verified'],
    ]);
    expect(gate.record('r1.2')).toMatchObject({ principal: 'token:operator', deployment_id: DEPLOYMENT, action: 'deployments.run', decision: 'allow' });
  });

  it('leaves out who else has a key, and keeps what it made itself', async () => {
    const made: Options['prefect'] = ({ method, path }) => {
      if (method === 'GET') return { body: json({ labels: { 'lictor.request_id': path.endsWith('new') ? 'r1' : 'r0' } }) };
      return { body: json({ results: ['plain', 'new', 'old'].map((id) => ({ flow_run_id: id, status: 'CREATED', error: null })) }) };
    };
    const body = [STOCK, { ...STOCK, idempotency_key: 'k' }, { ...STOCK, idempotency_key: 'l' }];
    const ids = async (options: Options) => {
      const response = await startMediator(options).send({ role: 'operator', path: bulk, body });
      return JSON.parse(response.body.toString()).results.map(({ flow_run_id: id, status }: Record<string, string>) => `${id} ${status}`);
    };
    expect(await ids({ prefect: made })).toEqual(['plain CREATED', 'new CREATED', 'old CREATED']);
    expect(await ids({ prefect: made, policies: forbid('flow_runs.read') })).toEqual(['plain CREATED', 'new CREATED', 'null FAILED']);
  });

  it('is all or nothing', async () => {
    const gate = startMediator(results([]));
    const body = [...Array.from({ length: 99 }, () => STOCK), { ...STOCK, job_variables: { command: 'id' } }];
    expect(codeOf(await gate.send({ role: 'operator', path: bulk, body }))).toBe('policy-default-deny');
    expect(gate.forwarded.map(({ method }) => method)).toEqual(['GET']);
    expect(await gate.send({ role: 'deployer', path: bulk, body })).toMatchObject({ status: 200 });
  });

  it('takes a list of at most 100, and decides an empty one too', async () => {
    const gate = startMediator(results([]));
    expect(codeOf(await gate.send({ role: 'admin', path: bulk, body: Array.from({ length: 101 }, () => STOCK) }))).toBe('body-invalid');
    expect(codeOf(await gate.send({ role: 'admin', path: bulk, body: STOCK }))).toBe('body-invalid');
    expect(codeOf(await gate.send({ role: 'admin', path: bulk, body: [STOCK, 1] }))).toBe('body-invalid');
    expect(await gate.send({ role: 'operator', path: bulk, body: [] })).toMatchObject({ status: 200 });
    expect(codeOf(await gate.send({ role: 'viewer', path: bulk, body: [] }))).toBe('policy-default-deny');
  });
});

describe('POST /flow_runs/', () => {
  const path = '/api/flow_runs/';
  /** As a sub-flow of 3.9.1 sends it. */
  const subFlow = {
    state: { type: 'PENDING', name: 'Pending', message: null, state_details: { traceparent: null }, data: null },
    name: null,
    flow_id: RUN,
    flow_version: 'x',
    parameters: { n: 3 },
    context: {},
    parent_task_run_id: RUN,
    empirical_policy: { retries: 0, retry_delay: 0 },
    tags: [],
  };
  const send = async (role: string, body: unknown) => {
    const gate = startMediator(CREATED);
    const response = await gate.send({ role, path, body });
    return { gate, outcome: response.status < 300 ? response.status : codeOf(response) };
  };

  it.each(['worker', 'run', 'deployer', 'admin'])('%s may register a local run or a sub-flow', async (role) => {
    const { gate, outcome: result } = await send(role, subFlow);
    expect(result).toBe(201);
    expect(gate.last()).toEqual({ ...subFlow, labels: { 'lictor.principal': `token:${role}`, 'lictor.request_id': 'r1' } });
    expect(gate.record()).toMatchObject({ flow_run_id: RUN, resource_id: RUN, run_binding: 'verified', action: 'flow_runs.create' });
  });

  it.each(['viewer', 'operator'])('%s may not', async (role) => {
    expect((await send(role, subFlow)).outcome).toBe('policy-default-deny');
  });

  const second: [string, object][] = [
    ['a deployment', { deployment_id: DEPLOYMENT }],
    ['a deployment in another spelling', { deployment_id: DEPLOYMENT.replaceAll('-', '').toUpperCase() }],
    ['a pool', { work_pool_name: 'p' }],
    ['a queue', { work_queue_name: 'q' }],
    ['job variables', { job_variables: { command: 'id' } }],
    ['an infrastructure document', { infrastructure_document_id: RUN }],
  ];
  it.each(second)('is a second way to override with %s: deployer, not run', async (_name, more) => {
    expect((await send('run', { ...subFlow, ...more })).outcome).toBe('policy-default-deny');
    expect((await send('deployer', { ...subFlow, ...more })).outcome).toBe(201);
  });

  it('names the deployment in the decision and in the record', async () => {
    const denied = await send('run', { ...subFlow, deployment_id: DEPLOYMENT.toUpperCase() });
    expect(denied.gate.record()).toMatchObject({ action: 'deployments.run.override', resource_type: 'Deployment', resource_id: DEPLOYMENT });
    const allowed = await send('deployer', { ...subFlow, deployment_id: DEPLOYMENT });
    expect(allowed.gate.record()).toMatchObject({ action: 'deployments.run', deployment_id: DEPLOYMENT, flow_run_id: RUN });
  });

  it('refuses a deployment that cannot be named', async () => {
    for (const id of [`urn:uuid:${DEPLOYMENT}`, `{${DEPLOYMENT}}`, 7, {}])
      expect((await send('admin', { ...subFlow, deployment_id: id })).outcome).toBe('body-invalid');
  });
});
