// Runs of an agent: in an hour, in progress at once, and below each run that it started.
import { afterEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../config/config.ts';
import { agentId, type Principal } from '../../contract/principal.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { Condition } from '../mediate/conditions.ts';
import { codeOf, DEPLOYMENT, json, RUN } from '../mediate/mediator.fixture.ts';
import { AS_AGENT, AS_HELPER, anAgent, DIRECT, openBudgets, type Prefect, prefectOfRuns } from './budgets.fixture.ts';

const CREATE = { role: 'agent', path: `/api/deployments/${DEPLOYMENT}/create_flow_run`, body: {} };
const BULK = { role: 'agent', path: `/api/deployments/${DEPLOYMENT}/create_flow_run/bulk` };
const SET_STATE = { role: 'operator', path: `/api/flow_runs/${RUN}/set_state`, body: { state: { type: 'SCHEDULED', name: 'AwaitingRetry' } } };

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.splice(0)) await each();
});

async function open(agents: readonly Agent[], prefect: Prefect = prefectOfRuns(new Map()), further: readonly Condition[] = []) {
  const room = await openBudgets({ agents, prefect, further });
  close.push(() => room.home.close());
  return room;
}

const usedOf = ({ home }: Awaited<ReturnType<typeof open>>) => home.store.agentUses.used('copilot', 'runs');

describe('in an hour', () => {
  it('are as many as the budget, and the next is possible when the first is an hour ago', async () => {
    const { as, home } = await open([anAgent({ runsPerHour: 5 })]);
    const gate = as(AS_AGENT);
    for (const _each of [1, 2, 3, 4, 5]) expect((await gate.send(CREATE)).status).toBe(201);
    home.advance(60_000);
    const sixth = await gate.send(CREATE);
    expect([sixth.status, sixth.headers['retry-after']]).toEqual([429, '3540']);
    expect(JSON.parse(sixth.body.toString()).detail).toBe('The agent copilot has used its budget runs: 5/h. Retry in 3540 s.');
    const stock = await gate.send({ ...CREATE, headers: { 'x-prefect-api-version': '0.8.4', 'content-type': 'application/json' } });
    expect([stock.status, stock.headers['retry-after'], JSON.parse(stock.body.toString()).detail]).toEqual([429, '2', expect.stringContaining('in 3540 s')]);
    // From memory: a second refusal does not ask the store.
    const { take } = home.store.agentUses;
    const failing: typeof take = (uses) => (uses.some(({ kind }) => kind === 'runs') ? Promise.reject(new Error('the store is asked')) : take(uses));
    Object.assign(home.store.agentUses, { take: failing });
    expect((await gate.send(CREATE)).status).toBe(429);
    Object.assign(home.store.agentUses, { take });
    home.advance(3_540_000);
    expect((await gate.send(CREATE)).status).toBe(201);
  });

  it('of one request count each', async () => {
    const results = (count: number) => json({ results: Array.from({ length: count }, (_, at) => ({ flow_run_id: `b-${at}`, status: 'CREATED' })) });
    const { as } = await open([anAgent({ runsPerHour: 5 })], (request) => ({ body: results(JSON.parse(request.body?.toString() ?? '[]').length) }));
    const gate = as(AS_AGENT);
    expect((await gate.send({ ...BULK, body: [{}, {}, {}] })).status).toBe(200);
    expect(codeOf(await gate.send({ ...BULK, body: [{}, {}, {}] }))).toBe('budget-exceeded');
    expect((await gate.send({ ...BULK, body: [{}, {}] })).status).toBe(200);
    const many = await gate.send({ ...BULK, body: Array.from({ length: 6 }, () => ({})) });
    expect(JSON.parse(many.body.toString()).detail).toContain('asks for 6 at once');
  });

  it.each<[string, number, ReturnType<Prefect>]>([
    ['a replay of an existing run', 0, { status: 200, body: json({ id: 'old' }) }],
    ['a body that Prefect rejects', 0, { status: 422 }],
    ['a request that did not reach Prefect', 1, new UpstreamError('upstream-unavailable', { forwarded: true, detail: 'away' })],
    ['an error of Prefect', 0, { status: 500 }],
    ['a busy Prefect', 0, { status: 503 }],
    ['an error of a proxy before Prefect', 1, { status: 504 }],
    ['a new run', 1, { status: 201, body: json({ id: 'new' }) }],
  ])('%s counts %i', async (_what, counted, answer) => {
    const room = await open([anAgent({ runsPerHour: 5, concurrentRuns: 5 })], () => answer);
    await room.as(AS_AGENT).send(CREATE);
    expect([await usedOf(room), await room.home.store.agentRuns.inProgress('copilot')]).toEqual([counted, counted]);
  });

  it('are given back when a later condition refuses', async () => {
    const refusing: Condition = { concerns: () => true, check: async () => ({ ok: false, refusal: { code: 'policy-forbids' } }) };
    const room = await open([anAgent({ runsPerHour: 1, concurrentRuns: 1 })], undefined, [refusing]);
    for (const _each of [1, 2]) expect(codeOf(await room.as(AS_AGENT).send(CREATE))).toBe('policy-forbids');
    expect([await usedOf(room), await room.home.store.agentRuns.inProgress('copilot')]).toEqual([0, 0]);
  });

  it.each<[string, object, number]>([
    ['a retry', SET_STATE, 1],
    ['a resume', { role: 'operator', path: `/api/flow_runs/${RUN}/resume`, body: {} }, 1],
    ['a cancellation', { ...SET_STATE, body: { state: { type: 'CANCELLING' } } }, 0],
  ])('%s counts as %#', async (_what, sent, counted) => {
    const answer = { status: 201, body: json({ status: 'ACCEPT', state: { type: 'SCHEDULED' } }) };
    const room = await open([anAgent({ runsPerHour: 1 })], () => answer);
    const gate = room.as(AS_AGENT);
    expect((await gate.send(sent as typeof SET_STATE)).status).toBe(201);
    expect(await usedOf(room)).toBe(counted);
    expect((await gate.send(sent as typeof SET_STATE)).status).toBe(counted === 1 ? 429 : 201);
  });

  it('a retry that Prefect does not accept counts nothing', async () => {
    const room = await open([anAgent({ runsPerHour: 1 })], () => ({ body: json({ status: 'ABORT', state: null }) }));
    await room.as(AS_AGENT).send(SET_STATE);
    expect(await usedOf(room)).toBe(0);
  });

  it.each<[string, object]>([
    ['schedules', { role: 'admin', path: `/api/deployments/${DEPLOYMENT}/schedules`, body: [{ schedule: { interval: 1 } }] }],
    ['runs of its schedules', { role: 'admin', path: `/api/deployments/${DEPLOYMENT}/schedule`, body: {} }],
    [
      'an automation that runs a deployment',
      {
        role: 'admin',
        path: '/api/automations/',
        body: {
          name: 'a',
          trigger: { type: 'event', posture: 'Reactive', expect: ['x'], for_each: [] },
          actions: [{ type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT }],
        },
      },
    ],
  ])('%s are not for an agent with a budget of runs', async (_what, sent) => {
    const room = await open([anAgent({ runsPerHour: 5 })], () => ({ status: 201 }));
    expect(codeOf(await room.as(AS_AGENT).send(sent as typeof SET_STATE))).toBe('starts-uncounted');
    const other = await open([anAgent()], () => ({ status: 201 }));
    expect((await other.as(AS_AGENT).send(sent as typeof SET_STATE)).status).toBe(201);
  });
});

describe('in progress at once', () => {
  it('are as many as the budget, until Prefect says that one has ended', async () => {
    const states = new Map<string, string>();
    const { as, home } = await open([anAgent({ concurrentRuns: 2 })], prefectOfRuns(states));
    const gate = as(AS_AGENT);
    expect([(await gate.send(CREATE)).status, (await gate.send(CREATE)).status]).toEqual([201, 201]);
    const third = await gate.send(CREATE);
    expect([codeOf(third), third.headers['retry-after']]).toEqual(['budget-exceeded', '10']);
    expect(JSON.parse(third.body.toString()).detail).toContain('budget concurrent_runs: 2.');
    expect(await home.store.agentUses.used('copilot', 'runs')).toBe(2);
    states.set('run-1', 'COMPLETED');
    home.advance(1_000);
    expect((await gate.send(CREATE)).status).toBe(201);
    states.delete('run-2');
    home.advance(1_000);
    expect((await gate.send(CREATE)).status).toBe(201);
    home.advance(1_000);
    expect(codeOf(await gate.send(CREATE))).toBe('budget-exceeded');
  });

  it('pass no bound in a race of 20', async () => {
    const states = new Map<string, string>();
    const { as } = await open([anAgent({ concurrentRuns: 3, runsPerHour: 100 })], prefectOfRuns(states));
    const gate = as(AS_AGENT);
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await gate.send(CREATE)).status));
    expect([statuses.filter((status) => status === 201).length, states.size]).toEqual([3, 3]);
  });

  it('stay counted when Prefect cannot be asked, and nothing is forwarded or used up', async () => {
    const states = new Map<string, string>();
    const runs = prefectOfRuns(states);
    let isAway = false;
    const away = new UpstreamError('upstream-unavailable', { forwarded: false, detail: 'away' });
    const room = await open([anAgent({ concurrentRuns: 1 })], (request) => (isAway && request.path.endsWith('/filter') ? away : runs(request)));
    const gate = room.as(AS_AGENT);
    await gate.send(CREATE);
    isAway = true;
    expect(codeOf(await gate.send(CREATE))).toBe('upstream-unavailable');
    expect([states.size, await usedOf(room)]).toEqual([1, 1]);
  });
});

describe('below one run', () => {
  const ROOT = '99999999-2222-4333-8444-555555555555';
  const CHILD = '88888888-2222-4333-8444-555555555555';
  const asRun = (id: string, ...chain: readonly string[]): Partial<Principal> => ({
    ...{ id: `run:${id}`, kind: 'run', attributes: { flow_run_id: id } },
    onBehalfOf: [...chain, agentId('copilot'), 'alice@corp'],
  });
  const create = { ...CREATE, role: 'run' };

  it('are as many as the budget, over all runs of the tree and a restart', async () => {
    const states = new Map<string, string>();
    const room = await open([anAgent({ descendants: 3 })], prefectOfRuns(states));
    expect((await room.as(asRun(ROOT)).send(create)).status).toBe(201);
    expect((await room.as(asRun(CHILD, `run:${ROOT}`)).send(create)).status).toBe(201);
    const again = room.open();
    expect((await again.as(asRun(ROOT)).send(create)).status).toBe(201);
    const fourth = await again.as(asRun(CHILD, `run:${ROOT}`)).send(create);
    expect([fourth.status, codeOf(fourth), JSON.parse(fourth.body.toString()).detail]).toEqual([
      403,
      'descendants-exceeded',
      `The runs below the run ${ROOT} of the agent copilot have used its budget descendants: 3.`,
    ]);
    expect((await again.as(asRun(CHILD)).send(create)).status).toBe(201);
    expect(states.size).toBe(4);
  });

  it('pass no bound in a race, and what Prefect does not create is given back', async () => {
    const states = new Map<string, string>();
    const runs = prefectOfRuns(states);
    let isRejecting = true;
    const { as } = await open([anAgent({ descendants: 2 })], (request) => (isRejecting ? { status: 422 } : runs(request)));
    const gate = as(asRun(ROOT));
    for (const _each of [1, 2, 3]) expect((await gate.send(create)).status).toBe(422);
    isRejecting = false;
    await Promise.all(Array.from({ length: 20 }, () => gate.send(create)));
    expect(states.size).toBe(2);
  });

  it('count for the run of each agent of the chain, and reads of a run take their own path', async () => {
    const { as, conditions } = await open([anAgent({ descendants: 1 }), anAgent({ descendants: 5 }, { name: 'helper' })]);
    const run = { ...asRun(ROOT), onBehalfOf: [agentId('helper'), agentId('copilot'), 'alice@corp'] };
    expect((await as(run).send(create)).status).toBe(201);
    expect(JSON.parse((await as(run).send(create)).body.toString()).detail).toContain('agent copilot');
    expect(conditions.mustMediate(run as Principal, DIRECT)).toBe(false);
  });

  it('do not count for runs that no agent started', async () => {
    const { as } = await open([anAgent({ descendants: 0 })]);
    expect((await as({ ...asRun(ROOT), onBehalfOf: ['alice@corp'] }).send(create)).status).toBe(201);
    expect((await as(asRun(ROOT)).send(create)).status).toBe(403);
  });

  it('end where the chain would lose the agent', async () => {
    const { as } = await open([anAgent()]);
    const links = (count: number) => Array.from({ length: count }, (_, at) => `run:${String(at).padStart(8, '0')}-2222-4333-8444-555555555555`);
    expect((await as(asRun(ROOT, ...links(17))).send(create)).status).toBe(201);
    expect(codeOf(await as(asRun(ROOT, ...links(18))).send(create))).toBe('descendants-exceeded');
  });
});

it('the runs of a chain count for each agent of it', async () => {
  const { as } = await open([anAgent({ runsPerHour: 1 }), anAgent({ runsPerHour: 9 }, { name: 'helper' })]);
  expect((await as(AS_HELPER).send(CREATE)).status).toBe(201);
  expect(codeOf(await as(AS_AGENT).send(CREATE))).toBe('budget-exceeded');
});
