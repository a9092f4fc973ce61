// The handlers that change a run: set_state, PATCH, labels, resume.
import { describe, expect, it } from 'vitest';
import { codeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

async function outcome(role: string, route: string, body: unknown) {
  const [method = '', path = ''] = route.split(' ');
  const gate = startMediator({ prefect: prefectWith({}, { status: 201 }) });
  const response = await gate.send({ role, method, path, body });
  return { gate, result: response.status < 300 ? response.status : codeOf(response) };
}

describe('set_state', () => {
  const route = `POST /api/flow_runs/${RUN}/set_state`;
  const set = async (role: string, type: string, more: object = {}) => (await outcome(role, route, { state: { type }, ...more })).result;

  it.each(['CANCELLING', 'CANCELLED', 'PAUSED', 'SCHEDULED'])(
    '%s is for whoever steers runs, and for machines; forced as the UI and the worker do',
    async (type) => {
      for (const role of ['operator', 'deployer', 'worker', 'run', 'admin']) {
        expect(await set(role, type, { force: true })).toBe(201);
        expect(await set(role, type)).toBe(201);
      }
      expect(await set('viewer', type)).toBe('policy-default-deny');
    },
  );

  it.each(['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CRASHED', 'running', 'UNHEARD'])(
    "%s is the machines' protocol, forced as the engine does",
    async (type) => {
      for (const role of ['deployer', 'worker', 'run', 'admin']) expect(await set(role, type, { force: type === 'CRASHED' })).toBe(201);
      for (const role of ['viewer', 'operator']) expect(await set(role, type)).toBe('policy-default-deny');
    },
  );

  it('names what was meant', async () => {
    const actions: [string, string][] = [
      ['CANCELLING', 'flow_runs.cancel'],
      ['PAUSED', 'flow_runs.pause'],
      ['SCHEDULED', 'flow_runs.retry'],
      ['RUNNING', 'flow_runs.set_state'],
    ];
    for (const [type, action] of actions) {
      const { gate } = await outcome('worker', route, { state: { type, name: 'x' } });
      expect(gate.record()).toMatchObject({ action, resource_type: 'FlowRun', resource_id: RUN, flow_run_id: RUN, run_binding: 'verified' });
    }
    const { gate } = await outcome('operator', route, { state: { type: 'CRASHED' }, force: true });
    expect(gate.record()).toMatchObject({ action: 'flow_runs.set_state', flow_run_id: RUN, decision: 'deny', principal: 'token:operator' });
  });

  const RESULT = { type: 'reference', storage_key: '/tmp/x', serializer: { type: 'pickle' } };

  it.each(['CANCELLING', 'CANCELLED', 'PAUSED', 'SCHEDULED'])('%s with a result is for what runs, not for who only steers', async (type) => {
    for (const data of [RESULT, {}, 'x', 0, false]) {
      for (const force of [true, false]) {
        expect((await outcome('operator', route, { state: { type, data }, force })).result).toBe('policy-default-deny');
        expect((await outcome('operator', 'POST /api/flow_runs/bulk_set_state', { state: { type, data }, force })).result).toBe('policy-default-deny');
        for (const role of ['worker', 'run', 'deployer', 'admin']) {
          const { gate, result } = await outcome(role, route, { state: { type, data }, force });
          expect(result).toBe(201);
          expect(gate.last()).toMatchObject({ state: { type, data } });
        }
      }
    }
    // As the CLI and the UI send it.
    const message = 'Retry from the UI';
    expect((await outcome('operator', route, { state: { type, name: 'x', message, data: null, state_details: {} }, force: true })).result).toBe(201);
    expect((await outcome('operator', route, { state: { type, name: 'x', message }, force: true })).result).toBe(201);
  });

  it('takes force as a JSON boolean only, and a type as text', async () => {
    for (const force of ['on', 'yes', 'true', 1, {}]) expect(await set('admin', 'RUNNING', { force })).toBe('body-invalid');
    for (const body of [undefined, [], {}, { state: 'RUNNING' }, { state: {} }, { state: { type: ['RUNNING'] } }, { state: { name: 'Running' } }]) {
      expect((await outcome('admin', route, body)).result).toBe('body-invalid');
    }
  });

  it('names no state like the events that clients may say: it would be stored as none', async () => {
    for (const name of ['heartbeat', 'pull-step.executed', 'pull-step.failed']) {
      expect((await outcome('run', route, { state: { type: 'COMPLETED', name } })).result).toBe('body-invalid');
      expect((await outcome('admin', 'POST /api/flow_runs/bulk_set_state', { state: { type: 'COMPLETED', name } })).result).toBe('body-invalid');
      expect((await outcome('admin', 'POST /api/flow_runs/', { flow_id: RUN, state: { type: 'PENDING', name } })).result).toBe('body-invalid');
    }
    for (const name of ['heartbeats', 'Heartbeat', 'pull-step']) expect((await outcome('run', route, { state: { type: 'COMPLETED', name } })).result).toBe(201);
  });

  it('says 403, not what is wrong with the body, to who may set no state at all', async () => {
    expect((await outcome('viewer', route, {})).result).toBe('policy-default-deny');
  });

  it('forwards the body as it was', async () => {
    const { gate } = await outcome('run', route, '{"state":{"type":"RUNNING","data":{"n":1.0}},"force":false}');
    expect(gate.forwarded[0]?.body?.toString()).toBe('{"state":{"type":"RUNNING","data":{"n":1.0}},"force":false}');
  });
});

describe('bulk_set_state', () => {
  const route = 'POST /api/flow_runs/bulk_set_state';
  it('needs the right of the state and that of the bulk', async () => {
    expect((await outcome('operator', route, { state: { type: 'CANCELLING' }, force: true })).result).toBe(201);
    expect((await outcome('operator', route, { state: { type: 'RUNNING' } })).result).toBe('policy-default-deny');
    expect((await outcome('run', route, { state: { type: 'CANCELLING' } })).result).toBe('policy-default-deny');
    expect((await outcome('viewer', route, { state: { type: 'CANCELLING' } })).result).toBe('policy-default-deny');
    expect((await outcome('admin', route, { state: { type: 'RUNNING' }, force: 1 })).result).toBe('body-invalid');
  });
});

describe('PATCH /flow_runs/{id}', () => {
  const route = `PATCH /api/flow_runs/${RUN}`;
  /** As worker and engine of 3.9.1 send them. */
  const stock = [{ flow_version: 'x', empirical_policy: { max_retries: 0, pause_keys: [] } }, { name: 'run-1' }];

  it.each(['worker', 'run', 'deployer', 'admin'])('%s may do what worker and engine do', async (role) => {
    for (const body of stock) expect((await outcome(role, route, body)).result).toBe(201);
  });

  it.each(['viewer', 'operator'])('BD-02: %s may change nothing, tags neither', async (role) => {
    for (const body of [...stock, { tags: ['team-b'] }, { job_variables: { image: 'x' } }, { parameters: {} }]) {
      const { gate, result } = await outcome(role, route, body);
      expect(result).toBe('policy-default-deny');
      expect(gate.forwarded).toEqual([]);
    }
  });

  it('BD-02: job variables and parameters are a right of their own', async () => {
    for (const body of [
      { job_variables: { command: 'id' } },
      { job_variables: {} },
      { parameters: { n: 1 } },
      { parameters: {} },
      { name: 'x', parameters: {} },
    ]) {
      expect((await outcome('run', route, body)).result).toBe('policy-default-deny');
      expect((await outcome('worker', route, body)).result).toBe('policy-default-deny');
      expect((await outcome('deployer', route, body)).result).toBe(201);
    }
    const { gate } = await outcome('run', route, { parameters: {} });
    expect(gate.record()).toMatchObject({ action: 'flow_runs.update.override', flow_run_id: RUN });
    expect((await outcome('admin', route, [])).result).toBe('body-invalid');
  });

  it('BD-02: a schedule with parameters is refused to who may only run', async () => {
    const schedules = `POST /api/deployments/${RUN}/schedules`;
    expect((await outcome('operator', schedules, [{ schedule: { interval: 60 }, parameters: { n: 1 } }])).result).toBe('policy-default-deny');
    expect((await outcome('deployer', schedules, [{ schedule: { interval: 60 }, parameters: { n: 1 } }])).result).toBe(201);
  });
});

describe('PATCH /flow_runs/{id}/labels', () => {
  const route = `PATCH /api/flow_runs/${RUN}/labels`;
  it('takes scalars, as the worker sends them', async () => {
    const { gate, result } = await outcome('worker', route, '{"prefect.worker.name":"w","n":12345678901234567890,"f":1.0,"b":false}');
    expect(result).toBe(201);
    expect(gate.forwarded[0]?.body?.toString()).toBe('{"prefect.worker.name":"w","n":12345678901234567890,"f":1.0,"b":false}');
    expect((await outcome('operator', route, { a: 1 })).result).toBe('policy-default-deny');
  });

  it.each([{ a: null }, { a: [] }, { a: {} }, { ok: 1, a: [1] }, [], 'x', undefined])('refuses %j, which makes the run unreadable', async (body) => {
    expect((await outcome('admin', route, body)).result).toMatch(/^body-(invalid|not-json)$/);
  });

  it('drops reserved labels, and refuses when nothing else is left', async () => {
    const { gate, result } = await outcome('admin', route, { 'lictor.principal': 'root', a: 1 });
    expect(result).toBe(201);
    expect(gate.last()).toEqual({ a: 1 });
    expect((await outcome('admin', route, { 'lictor.principal': 'root' })).result).toBe('label-reserved');
    expect((await outcome('admin', route, {})).result).toBe(201);
  });
});

describe('resume', () => {
  const route = `POST /api/flow_runs/${RUN}/resume`;
  it('takes input, an empty object, or no body', async () => {
    for (const body of [undefined, {}, { run_input: { n: 1 } }, { run_input: { __prefect_kind: 'jinja' } }]) {
      expect((await outcome('operator', route, body)).result).toBe(201);
      expect((await outcome('viewer', route, body)).result).toBe('policy-default-deny');
    }
    expect((await outcome('operator', route, [])).result).toBe('body-invalid');
  });
});
