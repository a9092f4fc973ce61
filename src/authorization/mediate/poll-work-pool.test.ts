import { describe, expect, it } from 'vitest';
import type { GivenRun } from '../../identity/authn/run-token/mint.ts';
import type { StateSet } from '../../identity/authn/run-token/open.ts';
import { DEPLOYMENT, json, RUN, startMediator } from './mediator.fixture.ts';
import type { RunTokenParts } from './parts.ts';

const POLL = '/api/work_pools/p/get_scheduled_flow_runs';
const TEMPLATE = { job_configuration: { env: '{{ env }}' }, variables: {} };

interface Room {
  readonly run?: Record<string, unknown>;
  readonly template?: unknown;
  readonly tokens?: ReadonlyMap<string, string>;
  readonly answer?: unknown;
}

function room({ run = {}, template = TEMPLATE, tokens = new Map([[RUN, 'lcf_x']]), answer }: Room = {}) {
  const given: GivenRun[] = [];
  const told: StateSet[] = [];
  const recorded: unknown[] = [];
  const objects: Record<string, unknown> = { '/api/work_pools/p': { base_job_template: template }, [`/api/deployments/${DEPLOYMENT}`]: { job_variables: {} } };
  const runTokens: RunTokenParts = {
    desk: {
      async mint(_worker, runs) {
        given.push(...runs);
        return tokens;
      },
      stateSet: async (change) => void told.push(change),
    },
    recent: async (path) => (objects[path] ?? null) as never,
    makerOf: async (_type, id) => (id === 'known' ? 'alice@local' : null),
    apiUrl: 'https://gate/api',
    record: async (record) => void recorded.push(record),
    warn: () => undefined,
  };
  const item = { work_pool_id: 'w', flow_run: { id: RUN, deployment_id: DEPLOYMENT, state_id: 's1', job_variables: { memory: 4 }, labels: {}, ...run } };
  const gate = startMediator({ prefect: () => ({ body: json(answer ?? [item]) }), parts: { runTokens } });
  return { gate, given, told, recorded, poll: async (role = 'worker') => gate.send({ role, path: POLL, body: {} }) };
}

const parsed = (body: Buffer): unknown => JSON.parse(body.toString());

describe('the answer to a poll', () => {
  it('has the token in the environment of its run, beside what was there', async () => {
    const { poll, given } = room();
    const env = { PREFECT_CLIENT_CUSTOM_HEADERS: '{"X-Lictor-Token":"lcf_x"}', PREFECT_API_AUTH_STRING: 'run:lcf_x', PREFECT_API_KEY: null };
    expect(parsed((await poll()).body)).toMatchObject([{ work_pool_id: 'w', flow_run: { id: RUN, job_variables: { memory: 4, env } } }]);
    expect(given).toEqual([{ flowRunId: RUN, deploymentId: DEPLOYMENT, pool: 'p', stateId: 's1', onBehalfOf: [] }]);
  });

  it.each([
    ["a person, by the gateway's label", { labels: { 'lictor.principal': 'bob@local', 'lictor.on_behalf_of': 'run:x' } }, ['bob@local', 'run:x']],
    ['a schedule', { created_by: { type: 'SCHEDULE', id: 's' }, auto_scheduled: true }, ['schedule:s']],
    ['an automation, and who has written it', { created_by: { type: 'AUTOMATION', id: 'known' } }, ['automation:known', 'alice@local']],
    ['an automation that nobody has written through the gateway', { created_by: { type: 'AUTOMATION', id: 'other' } }, ['automation:other']],
  ])('is for whoever has started the run: %s', async (_who, run, chain) => {
    const { poll, given } = room({ run });
    await poll();
    expect(given[0]?.onBehalfOf).toEqual(chain);
  });

  it('is left alone where there is no room for a token, which is recorded once', async () => {
    const { poll, recorded } = room({ template: { job_configuration: { command: 'x' } } });
    for (const _again of [1, 2]) expect((await poll()).body.toString()).not.toContain('lcf_');
    expect(recorded).toMatchObject([{ reason: 'run-token-not-injectable', flow_run_id: RUN, resource_id: 'p', principal: 'token:worker' }]);
  });

  it('has none for a worker that gets none, and requests none without runs', async () => {
    const { poll } = room({ tokens: new Map() });
    expect((await poll()).body.toString()).not.toContain('PREFECT_API_AUTH_STRING');
    const empty = room({ answer: [] });
    expect(parsed((await empty.poll()).body)).toEqual([]);
    expect(empty.given).toEqual([]);
  });

  it('goes to no principal that may not poll', async () => {
    const { poll, given, gate } = room();
    expect((await poll('viewer')).status).toBe(403);
    expect(given).toEqual([]);
    expect(gate.forwarded).toEqual([]);
  });
});

describe('a state that Prefect has taken', () => {
  const setState = async (answer: unknown, status = 201) => {
    const { gate, told } = room({ answer });
    const body = { state: { type: 'PENDING' } };
    const response = await gate.send({ role: 'worker', path: `/api/flow_runs/${RUN}/set_state`, body });
    expect(response.status).toBe(status);
    return told.map(({ flowRunId, type, accepted, by }) => ({ flowRunId, type, accepted, by: by.principal.id }));
  };

  it('is reported with its requester: the requested state, or another in its place', async () => {
    expect(await setState({ status: 'ACCEPT', state: { type: 'PENDING' } }, 200)).toEqual([
      { flowRunId: RUN, type: 'PENDING', accepted: true, by: 'token:worker' },
    ]);
    expect(await setState({ status: 'REJECT', state: { type: 'SCHEDULED' } }, 200)).toEqual([
      { flowRunId: RUN, type: 'SCHEDULED', accepted: false, by: 'token:worker' },
    ]);
  });

  it('is not reported when nothing has changed', async () => {
    for (const status of ['WAIT', 'ABORT', 'other', null]) expect(await setState({ status, state: { type: 'PENDING' } }, 200)).toEqual([]);
    expect(await setState({ status: 'ACCEPT', state: null }, 200)).toEqual([]);
    expect(await setState([], 200)).toEqual([]);
  });
});
