// A task run that begins takes slots of its tags, and a state may name what others have cached: neither reaches past a scope, or past a run.
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../contract/scope.ts';
import { forbid, json, type Options, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const TASK = '33333333-2222-3333-4444-555555555555';
const FOREIGN_TASK = '44444444-2222-3333-4444-555555555555';
const OTHER_RUN = '22222222-2222-3333-4444-555555555555';
const SET = `/api/task_runs/${TASK}/set_state`;
const ROUTE = `POST ${SET}`;
const TEAM: Partial<Scope> = { tags: ['team-a'], concurrencyLimits: ['ours'] };
const CACHE = { cache_key: 'k', cache_expiration: '2027-01-01T00:00:00Z' };

function objects(tags: readonly string[]) {
  return {
    [`GET /api/task_runs/${TASK}`]: { id: TASK, flow_run_id: RUN, tags },
    [`GET /api/task_runs/${FOREIGN_TASK}`]: { id: FOREIGN_TASK, flow_run_id: OTHER_RUN, tags },
    [`GET /api/flow_runs/${RUN}`]: { id: RUN, tags: ['team-a'], labels: {}, parent_task_run_id: null },
    [`GET /api/flow_runs/${OTHER_RUN}`]: { id: OTHER_RUN, tags: ['team-b'], labels: {}, parent_task_run_id: null },
    'POST /api/task_runs/filter': [
      { id: TASK, flow_run_id: RUN },
      { id: FOREIGN_TASK, flow_run_id: OTHER_RUN },
    ],
    'GET /api/concurrency_limits/tag/ours': { id: RUN, tag: 'ours' },
    'GET /api/concurrency_limits/tag/theirs': { id: OTHER_RUN, tag: 'theirs' },
  };
}

function setting(tags: readonly string[], more: Partial<Options> = {}): Options {
  return { prefect: prefectWith(objects(tags), { status: 201, body: json({ status: 'ACCEPT' }) }), ...more };
}
const scoped = { scope: TEAM };
const asRun = { ...scoped, run: RUN };

describe('a task run that begins', () => {
  const begun = (tags: readonly string[], more: Partial<Options> = asRun, state: object = { type: 'RUNNING' }) =>
    outcomeOf('run', ROUTE, { state }, setting(tags, more));

  it.each([scoped, asRun])('takes slots of the limits inside, and of no other', async (who) => {
    expect(await begun(['ours'], who)).toMatchObject({ result: 201, arrived: true });
    expect(await begun(['theirs'], who)).toMatchObject({ result: 'scope-excludes', arrived: false });
    expect(await begun(['ours', 'theirs'], who)).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it('is nothing to ask of where its tags have no limit, and where it has no tags', async () => {
    expect(await begun(['nobodys', 'team-a'])).toMatchObject({ result: 201, arrived: true });
    expect(await begun([])).toMatchObject({ result: 201, arrived: true });
  });

  it('is decided on whatever else it says: by force, and in any letters', async () => {
    for (const body of [{ state: { type: 'RUNNING' }, force: true }, { state: { type: 'running' } }])
      expect(await outcomeOf('run', ROUTE, body, setting(['theirs'], asRun))).toMatchObject({ result: 'scope-excludes', arrived: false });
  });

  it('takes none in any other state', async () => {
    for (const type of ['PENDING', 'COMPLETED', 'FAILED', 'SCHEDULED', 'CRASHED'])
      expect(await begun(['theirs'], asRun, { type })).toMatchObject({ result: 201, arrived: true });
  });

  it('of a run whose role holds on everything takes any, unless a policy forbids slots', async () => {
    expect(await begun(['theirs'], { run: RUN })).toMatchObject({ result: 201, arrived: true });
    expect(await begun(['theirs'], { run: RUN, policies: forbid('concurrency.slots') })).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect(await begun([], { run: RUN, policies: forbid('concurrency.slots') })).toMatchObject({ result: 201 });
  });

  it('is its own, and no other run its', async () => {
    const foreign = `POST /api/task_runs/${FOREIGN_TASK}/set_state`;
    expect((await outcomeOf('run', foreign, { state: { type: 'RUNNING' } }, setting(['ours'], { run: RUN }))).result).toBe('run-bound');
    const { result, gate } = await outcomeOf('run', foreign, { state: { type: 'RUNNING' } }, setting(['theirs'], scoped));
    expect([result, gate.record()]).toMatchObject(['', { decision: 'deny', reason: 'object-foreign' }]);
  });

  it('is refused where it is no state', async () => {
    for (const body of [undefined, [], {}, { state: 'RUNNING' }]) expect((await outcomeOf('run', ROUTE, body, setting([], asRun))).result).toBe('body-invalid');
  });
});

describe('a key of the cache that all tasks of a server share', () => {
  const details = { ...CACHE, traceparent: 't' };
  const kept = { state_details: { cache_key: null, cache_expiration: null, traceparent: 't' } };
  const sent = async (path: string, body: object, more: Partial<Options>) => {
    const gate = startMediator(setting([], more));
    const response = await gate.send({ role: 'run', path, body });
    expect([response.status, response.body.toString()]).toEqual([201, '{"status":"ACCEPT"}']);
    return gate.last();
  };

  it.each([scoped, asRun, { run: RUN }])('is in no state of a task run, by no way', async (who) => {
    for (const type of ['RUNNING', 'COMPLETED'])
      expect(await sent(SET, { state: { type, state_details: details } }, who)).toEqual({ state: { type, ...kept } });
    const made = { flow_run_id: RUN, task_key: 'k', dynamic_key: '1' };
    // Of a state that is deferred Prefect takes the key when the task run is made.
    const deferred = { state: { type: 'RUNNING', state_details: { ...details, deferred: true } } };
    const { state_details } = kept;
    expect(await sent('/api/task_runs/', { ...made, ...deferred }, who)).toEqual({
      ...made,
      state: { type: 'RUNNING', state_details: { ...state_details, deferred: true } },
    });
  });

  it('is in no state of a flow run, which may become that of a task run', async () => {
    expect(await sent(`/api/flow_runs/${RUN}/set_state`, { state: { type: 'COMPLETED', state_details: details } }, asRun)).toEqual({
      state: { type: 'COMPLETED', ...kept },
    });
  });

  it('twin: a state without one goes on as it is', async () => {
    for (const state of [{ type: 'COMPLETED' }, { type: 'COMPLETED', state_details: { cache_key: null, traceparent: 't' } }])
      expect(await sent(SET, { state }, asRun)).toEqual({ state });
  });
});
