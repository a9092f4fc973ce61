// A lease of concurrency slots belongs to the run, or to the principal with scopes, that took it.
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../contract/scope.ts';
import type { Lease } from '../../store/leases.ts';
import { codeOf, DEPLOYMENT, json, type Options, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const OTHER_RUN = '22222222-2222-3333-4444-555555555555';
const TASK = '33333333-2222-3333-4444-555555555555';
const LEASE = '99999999-0000-4000-8000-000000000001';
const OTHER = '99999999-0000-4000-8000-000000000002';
const ABSENT = '99999999-0000-4000-8000-000000000003';
const TEAM: Partial<Scope> = { tags: ['team-a'] };
const MINUTE_MS = 60_000;

const GONE = '{"detail":"Lease not found - it may have expired or been revoked"}';
const renew = (id: string) => `POST /api/v2/concurrency_limits/leases/${id}/renew`;
const RELEASE = 'POST /api/v2/concurrency_limits/decrement-with-lease';
const ours: Lease = { id: LEASE, principal: 'token:worker', flowRun: RUN };
const theirs: Lease = { id: OTHER, principal: 'token:other', flowRun: OTHER_RUN };

/** A child says what it stands under. */
const flowRun = (id: string, more = {}) => ({ id, parent_task_run_id: null, labels: {}, state: { type: 'RUNNING', state_details: {} }, ...more });
const OBJECTS = { [`GET /api/flow_runs/${RUN}`]: flowRun(RUN, { tags: ['team-a'] }), [`GET /api/flow_runs/${OTHER_RUN}`]: flowRun(OTHER_RUN) };

function settings(more: Partial<Options> = {}, objects: Readonly<Record<string, unknown>> = OBJECTS): Options {
  const leases = new Map([ours, theirs].map((lease) => [lease.id, lease]));
  return { prefect: prefectWith(objects, { status: 204, body: Buffer.alloc(0) }), leases, ...more };
}
const asRun = { run: RUN, scope: TEAM };

const touch = (gate: ReturnType<typeof startMediator>, role: string, lease: string) => ({
  renewed: () => gate.send({ role, path: renew(lease).slice(5), body: { lease_duration: 300 } }),
  released: () => gate.send({ role, path: RELEASE.slice(5), body: { lease_id: lease } }),
});
/** What changes reached Prefect. */
const arrived = ({ forwarded }: ReturnType<typeof startMediator>) => forwarded.filter(({ path }) => path.startsWith('/api/v2/concurrency_limits/')).length;

/** What Prefect 3.9.1 says of a lease that is not there: 410, and 204 to who lets go of it. */
async function expectAbsent(role: string, lease: string, options: Options): Promise<void> {
  const gate = startMediator(options);
  const renewed = await touch(gate, role, lease).renewed();
  expect([renewed.status, renewed.body.toString(), arrived(gate)]).toEqual([410, GONE, 0]);
  expect(gate.record()).toMatchObject({ decision: 'deny', reason: 'object-foreign', status: 410 });
  const released = await touch(gate, role, lease).released();
  expect([released.status, released.body.length, released.headers, arrived(gate)]).toEqual([204, 0, {}, 0]);
  expect(gate.record()).toMatchObject({ decision: 'deny', reason: 'object-foreign', status: 204 });
}

async function expectOwn(role: string, lease: string, options: Options): Promise<void> {
  const gate = startMediator(options);
  expect([(await touch(gate, role, lease).renewed()).status, arrived(gate)]).toEqual([204, 1]);
  expect([(await touch(gate, role, lease).released()).status, arrived(gate)]).toEqual([204, 2]);
}

describe('a role on some objects', () => {
  it('renews and releases its own leases; foreign and absent leases look the same', async () => {
    await expectOwn('worker', LEASE, settings({ scope: TEAM }));
    await expectAbsent('worker', OTHER, settings({ scope: TEAM }));
    await expectAbsent('worker', ABSENT, settings({ scope: TEAM }));
  });

  it('on everything: any, as without the gateway', async () => {
    for (const role of ['worker', 'admin']) await expectOwn(role, OTHER, settings());
    expect((await outcomeOf('viewer', RELEASE, { lease_id: OTHER }, settings())).result).toBe('policy-default-deny');
  });

  it('the id is the one that was decided on, in whatever spelling; any other form is refused', async () => {
    const { gate, result } = await outcomeOf('worker', RELEASE, { lease_id: LEASE.replaceAll('-', '').toUpperCase() }, settings({ scope: TEAM }));
    expect([result, gate.last()]).toEqual([204, { lease_id: LEASE }]);
    for (const lease_id of [`urn:uuid:${LEASE}`, `{${LEASE}}`, 7, null, [LEASE]]) {
      expect((await outcomeOf('worker', RELEASE, { lease_id }, settings({ scope: TEAM }))).result).toBe('body-invalid');
    }
  });
});

describe('a run', () => {
  const childOf = (own: string) => ({
    [`GET /api/flow_runs/${own}`]: flowRun(own),
    [`GET /api/flow_runs/${OTHER_RUN}`]: flowRun(OTHER_RUN, { parent_task_run_id: TASK }),
    'POST /api/task_runs/filter': [{ id: TASK, flow_run_id: own }],
  });

  it('has its own leases, with any initiator, and those of its child runs', async () => {
    await expectOwn('run', LEASE, settings(asRun));
    await expectOwn('run', LEASE, settings({ run: RUN }));
    await expectOwn('run', OTHER, settings(asRun, childOf(RUN)));
  });

  it('has no others: not of another run of its role, nor of the run above it', async () => {
    for (const lease of [OTHER, ABSENT]) {
      await expectAbsent('run', lease, settings(asRun));
      await expectAbsent('run', lease, settings({ run: RUN }));
    }
    await expectAbsent('run', LEASE, settings({ run: OTHER_RUN }, childOf(RUN)));
    await expectAbsent('run', OTHER, settings({ run: RUN, leases: new Map([[OTHER, { ...theirs, flowRun: null }]]) }));
  });

  it('has the slot of its deployment, which Prefect took for it; not that of another run', async () => {
    const holding = (lease: string) => ({
      ...OBJECTS,
      [`GET /api/flow_runs/${RUN}`]: flowRun(RUN, { state: { state_details: { deployment_concurrency_lease_id: lease } } }),
    });
    await expectOwn('run', ABSENT, settings(asRun, holding(ABSENT)));
    await expectAbsent('run', ABSENT, settings({ ...asRun, run: OTHER_RUN }, holding(ABSENT)));
    // A lease with another known holder stays with it, whatever the state says.
    await expectAbsent('run', OTHER, settings(asRun, holding(OTHER)));
  });

  it('gets no answer while Prefect cannot be asked', async () => {
    const gate = startMediator(settings({ ...asRun, prefect: () => ({ status: 500 }) }));
    expect([(await touch(gate, 'run', ABSENT).released()).status, arrived(gate)]).toEqual([503, 0]);
  });
});

describe('what is remembered', () => {
  const TAKE = '/api/v2/concurrency_limits/increment-with-lease';
  const started = (more: Partial<Options> = {}, answer: unknown = { lease_id: LEASE, limits: [] }) =>
    startMediator({ scope: TEAM, leases: new Map(), prefect: prefectWith(OBJECTS, { status: 200, body: json(answer) }), ...more });

  it('whose a lease is when it is taken, until ten minutes after its end', async () => {
    const gate = started();
    await gate.send({ role: 'worker', path: TAKE, body: { names: ['a'], slots: 1, lease_duration: 60 } });
    expect(gate.taken.get(LEASE)).toEqual({ id: LEASE, principal: 'token:worker', flowRun: null });
    expect(gate.lives.get(LEASE)).toBe(11 * MINUTE_MS);
    await gate.send({ role: 'worker', path: renew(LEASE).slice(5), body: { lease_duration: 120.5 } });
    expect(gate.lives.get(LEASE)).toBe(12 * MINUTE_MS + 500);
    await gate.send({ role: 'worker', path: renew(LEASE).slice(5) });
    expect(gate.lives.get(LEASE)).toBe(15 * MINUTE_MS);
    await gate.send({ role: 'worker', path: RELEASE.slice(5), body: { lease_id: LEASE } });
    expect(gate.lives.get(LEASE)).toBe(10 * MINUTE_MS);
  });

  it('which run took it; nothing of what Prefect refused', async () => {
    const gate = started({ run: RUN });
    const response = await gate.send({ role: 'run', path: TAKE, body: { names: ['a'], slots: 1, holder: { type: 'flow_run', id: RUN } } });
    expect([response.status, codeOf(response)]).toEqual([200, '']);
    expect(gate.taken.get(LEASE)).toEqual({ id: LEASE, principal: `run:${RUN}`, flowRun: RUN });
    const foreign = { names: ['a'], slots: 1, holder: { type: 'flow_run', id: OTHER_RUN } };
    expect(codeOf(await started().send({ role: 'worker', path: TAKE, body: foreign }))).toBe('scope-excludes');
    const locked = started({ prefect: prefectWith({}, { status: 423, body: json({ lease_id: LEASE }) }) });
    await locked.send({ role: 'worker', path: TAKE, body: { names: ['a'], slots: 1 } });
    expect(locked.taken.size).toBe(0);
  });

  const setState = (type: string, state_details = {}) => ({ path: `/api/flow_runs/${RUN}/set_state`, body: { state: { type, state_details } } });
  const answered = (type: string, status = 'ACCEPT') => ({ status, state: { type, state_details: { deployment_concurrency_lease_id: LEASE } } });

  it("the slot of a run's deployment is the run's, and of the worker who began it; not of who cancels it", async () => {
    for (const type of ['PENDING', 'RUNNING']) {
      const gate = started({}, answered(type));
      await gate.send({ role: 'worker', ...setState(type) });
      expect(gate.taken.get(LEASE), type).toEqual({ id: LEASE, principal: 'token:worker', flowRun: RUN });
    }
    for (const [type, status] of [
      ['CANCELLING', 'ACCEPT'],
      ['PENDING', 'REJECT'],
    ] as const) {
      const gate = startMediator({ leases: new Map(), prefect: prefectWith({}, { status: 201, body: json(answered(type, status)) }) });
      expect((await gate.send({ role: 'admin', ...setState(type) })).status).toBe(201);
      expect(gate.taken.size, type).toBe(0);
    }
  });

  it('no client names the lease of a state: a run that ends releases what is named there', async () => {
    const named = { deployment_concurrency_lease_id: OTHER, traceparent: 'k' };
    const state = { type: 'PENDING', state_details: named };
    const kept = { type: 'PENDING', state_details: { ...named, deployment_concurrency_lease_id: null } };
    const ways = [
      [`/api/flow_runs/${RUN}/set_state`, { state }, { state: kept }],
      ['/api/flow_runs/bulk_set_state', { flow_runs: { id: { any_: [RUN] } }, state }, { state: kept }],
      [`/api/deployments/${DEPLOYMENT}/create_flow_run`, { state }, { state: kept }],
      [`/api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, [{ state }], [{ state: kept }]],
      ['/api/flow_runs/', { flow_id: OTHER_RUN, state }, { state: kept }],
    ] as const;
    for (const [path, body, sent] of ways) {
      const found = { 'POST /api/flow_runs/filter': [{ id: RUN }] };
      const gate = startMediator({ prefect: prefectWith(found, { status: 201, body: json({ id: RUN }) }) });
      const response = await gate.send({ role: 'admin', path, body });
      expect([response.status, codeOf(response)], path).toEqual([201, '']);
      expect(gate.last(), path).toMatchObject(sent);
    }
  });
});

describe('slots without a lease', () => {
  const RELEASE_BY_NUMBER = 'POST /api/v2/concurrency_limits/decrement';
  const body = { names: ['db'], slots: 1, occupancy_seconds: 1 };

  it("are not let go of by a run: they may be anybody's", async () => {
    for (const options of [settings({ run: RUN }), settings({ run: RUN, scope: { concurrencyLimits: ['db'] } })]) {
      const { result, response, arrived: isForwarded } = await outcomeOf('run', RELEASE_BY_NUMBER, body, options);
      expect([result, isForwarded]).toEqual(['run-bound', false]);
      expect(response.body.toString()).toContain('decrement-with-lease');
    }
    expect((await outcomeOf('admin', RELEASE_BY_NUMBER, body, settings({ run: RUN }))).result).toBe('run-bound');
  });

  it('are by another principal that may touch slots, and taken by a run; by an own task run the old routes release as before', async () => {
    for (const role of ['worker', 'deployer', 'admin']) expect((await outcomeOf(role, RELEASE_BY_NUMBER, body, settings())).result).toBe(204);
    expect(
      (await outcomeOf('run', 'POST /api/v2/concurrency_limits/increment', { names: ['db'], slots: 1, mode: 'rate_limit' }, settings({ run: RUN }))).result,
    ).toBe(204);
    const own = { ...OBJECTS, 'POST /api/task_runs/filter': [{ id: TASK, flow_run_id: RUN }] };
    const theirs = { ...OBJECTS, 'POST /api/task_runs/filter': [{ id: TASK, flow_run_id: OTHER_RUN }] };
    const old = async (objects: object) =>
      (await outcomeOf('run', 'POST /api/concurrency_limits/decrement', { names: ['db'], task_run_id: TASK }, settings({ run: RUN }, { ...objects }))).result;
    expect([await old(own), await old(theirs)]).toEqual([204, 'run-bound']);
  });
});
