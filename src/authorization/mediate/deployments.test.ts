// Deployments and their schedules: what is code, what only pauses, what is there already.
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, forbid, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const CREATE = 'POST /api/deployments/';
const UPDATE = `PATCH /api/deployments/${DEPLOYMENT}`;
const OLD = { id: DEPLOYMENT, name: 'd', job_variables: { image: 'a' }, entrypoint: 'f.py:f', work_pool_name: 'p', enforce_parameter_schema: true, tags: [] };
/** A Prefect with OLD, found by id and by flow and name. */
const there = prefectWith(
  { [`GET /api/deployments/${DEPLOYMENT}`]: OLD, 'POST /api/deployments/filter': [OLD] },
  { status: 201, body: json({ id: DEPLOYMENT }) },
);
const without = (...actions: string[]) => ({ prefect: there, policies: actions.map((action) => forbid(action)).join('\n') });

describe('POST /deployments/', () => {
  const body = { name: 'd', flow_id: RUN, entrypoint: 'f.py:f', tags: ['a'] };

  it('is for deployers', async () => {
    for (const role of ['deployer', 'admin']) expect((await outcomeOf(role, CREATE, body)).result).toBe(201);
    for (const role of ['viewer', 'operator', 'worker', 'run']) {
      expect(await outcomeOf(role, CREATE, body)).toMatchObject({ result: 'policy-default-deny', arrived: false });
    }
  });

  it('is a write of the existing deployment when flow and name are its own', async () => {
    const { gate } = await outcomeOf('deployer', CREATE, body, { prefect: there });
    expect(gate.record()).toMatchObject({ action: 'deployments.write', resource_type: 'Deployment', resource_id: DEPLOYMENT, deployment_id: DEPLOYMENT });
    const [lookup] = gate.forwarded;
    const asked = { flows: { id: { any_: [RUN] } }, deployments: { name: { any_: ['d'] } }, limit: 1 };
    expect([lookup?.path, JSON.parse(lookup?.body?.toString() ?? '')]).toEqual(['/api/deployments/filter', asked]);
    const guarded = { prefect: there, policies: forbid('deployments.write', `Deployment::"${DEPLOYMENT}"`) };
    expect(await outcomeOf('admin', CREATE, body, guarded)).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect((await outcomeOf('admin', CREATE, body, { ...guarded, prefect: prefectWith({}, { status: 201 }) })).result).toBe(201);
  });

  it('reads flow_id in any spelling, and refuses what it cannot look up', async () => {
    const { gate } = await outcomeOf('deployer', CREATE, { ...body, flow_id: RUN.toUpperCase().replaceAll('-', '') }, { prefect: there });
    expect(gate.forwarded[0]?.body?.toString()).toContain(RUN);
    for (const flow of [undefined, 1, 'x', `urn:uuid:${RUN}`])
      expect((await outcomeOf('admin', CREATE, { ...body, flow_id: flow })).result).toBe('body-invalid');
    for (const name of [undefined, null, 1, ['d']]) expect((await outcomeOf('admin', CREATE, { ...body, name })).result).toBe('body-invalid');
    expect((await outcomeOf('admin', CREATE, [body])).result).toBe('body-invalid');
  });

  it('answers 503 when Prefect cannot say what is there', async () => {
    const prefect = prefectWith({}, { status: 201 });
    const failing = { prefect: (request: Parameters<typeof prefect>[0]) => (request.path.endsWith('/filter') ? { status: 500 } : prefect(request)) };
    expect(await outcomeOf('admin', CREATE, body, failing)).toMatchObject({ result: 'upstream-unavailable', arrived: false });
  });
});

describe('PATCH /deployments/{id}', () => {
  it('only pausing needs the right to pause, and not the one to write', async () => {
    const paused = without('deployments.write');
    for (const value of [true, false]) expect((await outcomeOf('deployer', UPDATE, { paused: value }, paused)).result).toBe(201);
    expect((await outcomeOf('deployer', UPDATE, { paused: true, tags: ['x'] }, paused)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', UPDATE, {}, paused)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', UPDATE, { paused: true }, without('deployments.pause'))).result).toBe('policy-forbids');
    expect((await outcomeOf('operator', UPDATE, { paused: true }, paused)).result).toBe('policy-forbids');
  });

  it.each([
    { job_variables: { image: 'b' } },
    { job_variables: {} },
    { job_variables: null },
    { pull_steps: [{ 'prefect.deployments.steps.run_shell_script': { script: 'id' } }] },
    { entrypoint: 'g.py:g' },
    { path: '/elsewhere' },
    { work_pool_name: 'q' },
    { work_queue_name: 'q' },
    { storage_document_id: RUN },
    { infrastructure_document_id: RUN },
    { enforce_parameter_schema: false },
    { parameter_openapi_schema: { type: 'object' } },
  ])('BD-02: %j is what workers execute: a right besides', async (change) => {
    expect((await outcomeOf('deployer', UPDATE, change, { prefect: there })).result).toBe(201);
    expect(await outcomeOf('deployer', UPDATE, change, without('deployments.write.override'))).toMatchObject({ result: 'policy-forbids', arrived: false });
  });

  it('what is as it was overrides nothing, and a deployment that cannot be found is all new', async () => {
    const same = { job_variables: { image: 'a' }, entrypoint: 'f.py:f', work_pool_name: 'p', enforce_parameter_schema: true, tags: ['new'], pull_steps: null };
    expect((await outcomeOf('deployer', UPDATE, same, without('deployments.write.override'))).result).toBe(201);
    const gone = { ...without('deployments.write.override'), prefect: prefectWith({}) };
    expect((await outcomeOf('deployer', UPDATE, same, gone)).result).toBe('policy-forbids');
  });

  it('gives policies the changed fields', async () => {
    const policies = '@id("p") forbid (principal, action, resource) when { context.facts has concurrency && context.facts.concurrency };';
    expect((await outcomeOf('admin', UPDATE, { concurrency_limit: 1 }, { prefect: there, policies })).result).toBe('policy-forbids');
    expect((await outcomeOf('admin', UPDATE, { description: 'x' }, { prefect: there, policies })).result).toBe(201);
  });
});

describe('pull steps (CVE-2026-5366)', () => {
  const clone = (args: object) => ({ pull_steps: [{ 'prefect.deployments.steps.git_clone': args }] });
  const good = { repository: 'https://git.example/r.git', branch: 'main' };

  it.each([
    { ...good, branch: '--upload-pack=touch /tmp/x' },
    { repository: '--upload-pack=id' },
    { repository: ' -c core.sshCommand=id' },
    { repository: 'ext::sh -c id' },
    { ...good, branch: undefined, commit_sha: '--upload-pack=id' },
    { ...good, directories: ['src', '--stdin'] },
  ])('%j is refused to all but administrators', async (args) => {
    for (const route of [UPDATE, CREATE]) {
      const body = { ...clone(args), name: 'd', flow_id: RUN };
      expect(await outcomeOf('deployer', route, body, { prefect: there })).toMatchObject({ result: 'pull-step-option', arrived: false });
      expect((await outcomeOf('admin', route, body, { prefect: there })).result).toBe(201);
    }
  });

  it('an ordinary clone passes, and the record names the missing right', async () => {
    expect((await outcomeOf('deployer', UPDATE, clone({ ...good, directories: ['a-b'] }), { prefect: there })).result).toBe(201);
    const { gate } = await outcomeOf('deployer', UPDATE, clone({ ...good, branch: '-x' }), { prefect: there });
    expect(gate.record()).toMatchObject({ action: 'deployments.write.unsafe', reason: 'pull-step-option', decision: 'deny', status: 403 });
  });
});

describe('the schema of parameters', () => {
  it('makes no server fetch an address', async () => {
    for (const route of [UPDATE, CREATE]) {
      const sent = (ref: string) =>
        outcomeOf('deployer', route, { name: 'd', flow_id: RUN, parameter_openapi_schema: { properties: { x: { $ref: ref } } } }, { prefect: there });
      expect(await sent('http://169.254.169.254/')).toMatchObject({ result: 'body-invalid', arrived: false });
      expect((await sent('#/definitions/X')).result).toBe(201);
    }
  });
});

describe('what a deployment reads', () => {
  it.each([
    ['blocks.read_secrets', { job_variables: { env: { K: '{{ prefect.blocks.secret.key }}' } } }],
    ['blocks.read_secrets', { pull_steps: [{ 'prefect.deployments.steps.git_clone': { access_token: '{{prefect.blocks.secret.key}}' } }] }],
    ['blocks.read_secrets', { pull_steps: [{ 'prefect.deployments.steps.pull_with_block': { block_document_name: 'key', block_type_slug: 'secret' } }] }],
    ['blocks.read_secrets', { job_variables: { credentials: { $ref: { block_document_id: RUN } } } }],
    ['blocks.read_secrets', { infrastructure_document_id: RUN }],
    ['variables.read', { job_variables: { image: '{{ prefect.variables.image }}' } }],
    ['variables.read', { parameters: { n: { __prefect_kind: 'workspace_variable', variable_name: 'n' } } }],
    ['variables.read', { schedules: [{ parameters: { n: { __prefect_kind: 'workspace_variable', variable_name: 'n' } } }] }],
  ])('AU-01: needs %s for %j', async (action, change) => {
    expect((await outcomeOf('deployer', UPDATE, change, { prefect: there })).result).toBe(201);
    const { result, arrived, gate } = await outcomeOf('deployer', UPDATE, change, without(action));
    expect([result, arrived]).toEqual(['policy-forbids', false]);
    expect(gate.record()).toMatchObject({ action });
  });
});

describe('parameters that are there already', () => {
  const n = { n: { __prefect_kind: 'workspace_variable', variable_name: 'v' } };
  const holding = { ...OLD, parameters: n };
  const prefect = prefectWith(
    { [`GET /api/deployments/${DEPLOYMENT}`]: holding, 'POST /api/deployments/filter': [holding] },
    { status: 201, body: json({ id: DEPLOYMENT }) },
  );
  const blind = { prefect, policies: forbid('variables.read') };

  it('are filled in by a PATCH that repeats them, and stored unchanged by an upsert', async () => {
    expect(await outcomeOf('deployer', UPDATE, { parameters: n }, blind)).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect((await outcomeOf('deployer', UPDATE, { parameters: n }, { prefect })).result).toBe(201);
    expect((await outcomeOf('deployer', UPDATE, { description: 'x' }, blind)).result).toBe(201);
    expect((await outcomeOf('deployer', CREATE, { name: 'd', flow_id: RUN, parameters: n }, blind)).result).toBe(201);
  });

  it('as one reference may be any variable, since a principal that runs it may name one', async () => {
    const policies = '@id("blind") forbid (principal, action == Action::"variables.read", resource) unless { resource == Variable::"v" };';
    for (const [route, more] of [
      [UPDATE, {}],
      [CREATE, { name: 'd', flow_id: RUN }],
    ] as const) {
      expect((await outcomeOf('deployer', route, { ...more, parameters: n.n }, { prefect, policies })).result).toBe('policy-forbids');
      expect((await outcomeOf('deployer', route, { ...more, parameters: n }, { prefect, policies })).result).toBe(201);
    }
  });
});

describe('schedules', () => {
  const all = `POST /api/deployments/${DEPLOYMENT}/schedules`;
  const one = `PATCH /api/deployments/${DEPLOYMENT}/schedules/${RUN}`;

  it('BD-02: parameters in one are a run with parameters', async () => {
    const body = [{ schedule: { interval: 60 }, parameters: { n: 1 } }];
    const plain = [{ schedule: { interval: 60 }, parameters: {} }];
    expect((await outcomeOf('deployer', all, body)).result).toBe(201);
    expect((await outcomeOf('operator', all, body)).result).toBe('policy-default-deny');
    expect((await outcomeOf('deployer', all, body, without('deployments.run.parameters'))).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', all, plain, without('deployments.run.parameters'))).result).toBe(201);
    expect((await outcomeOf('deployer', one, { parameters: { n: 1 } }, without('deployments.run.parameters'))).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', UPDATE, { schedules: body }, without('deployments.run.parameters'))).result).toBe('policy-forbids');
  });

  it('switching one off is a pause', async () => {
    const { gate, result } = await outcomeOf('deployer', one, { active: false }, without('deployments.schedule.write'));
    expect(result).toBe(201);
    expect(gate.record()).toMatchObject({ action: 'deployments.pause', deployment_id: DEPLOYMENT });
    expect((await outcomeOf('deployer', one, { active: true, schedule: { interval: 1 } }, without('deployments.schedule.write'))).result).toBe(
      'policy-forbids',
    );
    expect((await outcomeOf('operator', one, { active: false })).result).toBe('policy-default-deny');
  });

  it('must be what Prefect takes', async () => {
    for (const body of [{}, [1], undefined, 'x']) expect((await outcomeOf('admin', all, body)).result).toMatch(/^body-(invalid|not-json)$/);
    expect((await outcomeOf('admin', one, [])).result).toBe('body-invalid');
  });
});

describe('a queue without its pool', () => {
  const queue = (pool: string) => ({ id: RUN, name: 'q', work_pool_name: pool });
  const prefect = prefectWith(
    {
      [`GET /api/deployments/${DEPLOYMENT}`]: { ...OLD, work_queue_name: 'theirs' },
      'POST /api/deployments/filter': [OLD],
      [`GET /api/flows/${RUN}`]: { id: RUN, name: 'f' },
      'GET /api/work_queues/name/theirs': queue('pool-b'),
      'GET /api/work_queues/name/ours': queue('p'),
    },
    { status: 201, body: json({ id: DEPLOYMENT }) },
  );
  const scoped = { prefect, scope: { workPools: ['p'] }, knows: [`token:deployer ${RUN}`] };
  const made = { name: 'd', flow_id: RUN };

  it.each([{ work_queue_name: 'theirs' }, { work_queue_name: 'theirs', work_pool_name: '' }, { work_queue_name: 'nobodys' }])(
    '%j puts no deployment into a pool outside of the scope',
    async (place) => {
      expect(await outcomeOf('deployer', UPDATE, place, scoped)).toMatchObject({ result: 'scope-excludes', arrived: false });
      expect(await outcomeOf('deployer', CREATE, { ...made, ...place }, scoped)).toMatchObject({ result: 'scope-excludes', arrived: false });
    },
  );

  it('twin: of the own pool it goes on with that pool beside it, and so does one with its pool', async () => {
    for (const place of [{ work_queue_name: 'ours' }, { work_queue_name: 'theirs', work_pool_name: 'p' }]) {
      const { result, gate } = await outcomeOf('deployer', UPDATE, place, scoped);
      expect([result, gate.last()]).toEqual([201, { ...place, work_pool_name: 'p' }]);
    }
  });

  it('is decided on as where it comes to, and goes there', async () => {
    const policies = '@id("p") forbid (principal, action, resource) when { resource has work_pool && resource.work_pool == "pool-b" };';
    for (const pool of [{}, { work_pool_name: '' }, { work_pool_name: null }]) {
      const place = { work_queue_name: 'theirs', ...pool };
      expect((await outcomeOf('admin', CREATE, { ...made, ...place }, { prefect, policies })).result).toBe('policy-forbids');
      const { result, gate } = await outcomeOf('admin', CREATE, { ...made, ...place }, { prefect });
      expect([result, gate.last()]).toEqual([201, { ...made, ...place, work_pool_name: 'pool-b' }]);
    }
    expect((await outcomeOf('admin', UPDATE, { work_queue_name: 'theirs' }, { prefect, policies })).result).toBe('policy-forbids');
  });

  it('is another pool, though the queue has the name that was there', async () => {
    const policies = forbid('deployments.write.override');
    expect((await outcomeOf('deployer', UPDATE, { work_queue_name: 'theirs' }, { prefect, policies })).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', UPDATE, { description: 'x' }, { prefect, policies })).result).toBe(201);
  });

  it('goes on as it is where Prefect is to make it, and where a change takes the deployment out of all pools', async () => {
    for (const place of [{ work_queue_name: 'nobodys' }, { work_queue_name: 'theirs', work_pool_name: null }]) {
      const { result, gate } = await outcomeOf('deployer', UPDATE, place, { prefect });
      expect([result, gate.last()]).toEqual([201, place]);
    }
  });
});
