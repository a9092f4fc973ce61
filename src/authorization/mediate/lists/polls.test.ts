// What a worker whose role holds on some runs only is handed out, and for which of them there is a token.
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../../contract/scope.ts';
import type { GivenRun } from '../../../identity/authn/run-token/mint.ts';
import { json, RUN, startMediator } from '../mediator.fixture.ts';
import type { RunTokenParts } from '../parts.ts';

const OTHER_RUN = '22222222-2222-3333-4444-555555555555';
const THIRD = '33333333-2222-3333-4444-555555555555';
const POOL_POLL = '/api/work_pools/pool-a/get_scheduled_flow_runs';
const QUEUE = 'eeeeeeee-bbbb-cccc-dddd-eeeeeeeeeeee';
const QUEUE_POLL = `/api/work_queues/${QUEUE}/get_runs`;
const BOTH: Partial<Scope> = { tags: ['team-a'], workPools: ['pool-a'] };
const run = (id: string) => ({
  id,
  deployment_id: null,
  state_id: `state of ${id}`,
  job_variables: {},
  labels: {},
  parameters: 'PARAMETERS',
  created_by: { type: 'AUTOMATION', id: THIRD },
});

/** `reached`: what Prefect says to the scope's own filter. `parameters`: of each run, as text. */
function room({
  scope,
  visibleIds,
  parameters = '{}',
}: {
  readonly scope?: Partial<Scope>;
  readonly visibleIds: readonly string[];
  readonly parameters?: string;
}) {
  const given: GivenRun[] = [];
  const runTokens: RunTokenParts = {
    desk: {
      async mint(_worker, runs) {
        given.push(...runs);
        return new Map(runs.map(({ flowRunId }) => [flowRunId, `lcf_${flowRunId}`]));
      },
      stateSet: async () => undefined,
    },
    recent: async () => ({ base_job_template: { job_configuration: { env: '{{ env }}' }, variables: {} } }),
    makerOf: async () => null,
    apiUrl: 'https://gate/api',
    record: async () => undefined,
    warn: () => undefined,
  };
  const runs = [OTHER_RUN, RUN, THIRD].map(run);
  const answers: Readonly<Record<string, unknown>> = {
    [POOL_POLL]: runs.map((flow_run) => ({ work_pool_id: 'w', flow_run })),
    [QUEUE_POLL]: runs,
    '/api/ui/flow_runs/history': visibleIds.map((id) => ({ id })),
    [`/api/work_queues/${QUEUE}`]: { id: QUEUE, name: 'q', work_pool_name: 'pool-a' },
  };
  const gate = startMediator({
    ...(scope !== undefined && { scope }),
    prefect: ({ path }) =>
      answers[path] === undefined ? { status: 404 } : { body: Buffer.from(JSON.stringify(answers[path]).replaceAll('"PARAMETERS"', () => parameters)) },
    parts: { runTokens },
  });
  const poll = async (path: string, body: unknown) => {
    const response = await gate.send({ role: 'worker', path, body });
    const text = response.body.toString();
    return { status: response.status, text, ids: [OTHER_RUN, RUN, THIRD].filter((id) => text.includes(`"id":"${id}"`)) };
  };
  const sent = (path: string): unknown => JSON.parse(gate.forwarded.find((request) => request.path === path)?.body?.toString() ?? 'null');
  return { poll, given, sent };
}

describe.each([POOL_POLL, QUEUE_POLL])('%s', (path) => {
  it('hands out the runs that the scope covers, up to the limit of the worker', async () => {
    const { poll, sent } = room({ scope: BOTH, visibleIds: [RUN, THIRD] });
    expect(await poll(path, { limit: 1, scheduled_before: 'x' })).toMatchObject({ status: 200, ids: [RUN] });
    expect(await poll(path, { limit: 2 })).toMatchObject({ ids: [RUN, THIRD] });
    expect(sent(path)).toEqual({ scheduled_before: 'x' });
    expect(sent('/api/ui/flow_runs/history')).toMatchObject({ flow_runs: { id: { any_: [OTHER_RUN, RUN, THIRD] } } });
  });

  it('twin: hands out all to a worker of everything, and forwards what it has sent', async () => {
    const { poll, sent } = room({ visibleIds: [] });
    expect(await poll(path, { limit: 1 })).toMatchObject({ status: 200, ids: [OTHER_RUN, RUN, THIRD] });
    expect(sent(path)).toEqual({ limit: 1 });
  });

  it('returns no run that it cannot read, and none of another pool', async () => {
    expect(await room({ scope: BOTH, visibleIds: [] }).poll(path, {})).toMatchObject({ status: 200, text: '[]' });
    expect(await room({ scope: { workPools: ['pool-b'] }, visibleIds: [RUN] }).poll(path, {})).toMatchObject({ status: 404, ids: [] });
    expect((await room({ scope: BOTH, visibleIds: [] }).poll(path, [])).status).toBe(400);
  });

  // A request may be 64 levels deep (Prefect 3.9.1 takes that), and what it gives stands some levels deeper in the answer.
  it('reads a run as deep as a client may create one, so that it hides no other', async () => {
    const parameters = `{"x":${'['.repeat(62)}${']'.repeat(62)}}`;
    expect(await room({ scope: BOTH, visibleIds: [RUN], parameters }).poll(path, {})).toMatchObject({ status: 200, ids: [RUN] });
    expect(await room({ visibleIds: [], parameters }).poll(path, {})).toMatchObject({ status: 200, ids: [OTHER_RUN, RUN, THIRD] });
  });

  it('hands out nothing of an answer that it cannot read', async () => {
    for (const parameters of [`{"x":${'['.repeat(600)}${']'.repeat(600)}}`, '{"x":1,"x":2}', '{"x":NaN}'])
      expect(await room({ scope: BOTH, visibleIds: [RUN], parameters }).poll(path, {})).toMatchObject({ status: 503, ids: [] });
  });

  it("leaves a limit to Prefect that is none of Prefect's", async () => {
    for (const limit of [201, -1]) {
      const { poll, sent } = room({ scope: BOTH, visibleIds: [RUN] });
      await poll(path, { limit });
      expect(sent(path)).toEqual({ limit });
    }
  });

  it('takes no limit that is a number to Prefect alone: it would count the runs of others', async () => {
    for (const limit of ['1', 'x', true, 1.5, [1]]) {
      const { poll, sent } = room({ scope: BOTH, visibleIds: [RUN] });
      expect(await poll(path, { limit })).toMatchObject({ status: 400, ids: [] });
      expect(sent(path)).toBeNull();
    }
    expect(await room({ scope: BOTH, visibleIds: [RUN] }).poll(path, { limit: null })).toMatchObject({ status: 200, ids: [RUN] });
  });
});

it('a run that is not handed out gets no token; one that is has its chain and token, and no name of a foreign automation', async () => {
  const { poll, given } = room({ scope: BOTH, visibleIds: [RUN] });
  const { text } = await poll(POOL_POLL, {});
  expect(given).toMatchObject([{ flowRunId: RUN, onBehalfOf: [`automation:${THIRD}`] }]);
  expect(text).toContain(`run:lcf_${RUN}`);
  expect(text).not.toContain(THIRD);
});

describe('who holds the slots of a pool or queue', () => {
  const slots = (ids: readonly string[]) => ids.map((id) => ({ id, name: `name of ${id}` }));
  const status = { active_slots: 2, queues: [{ queue_name: 'q', active_slots: 2, flow_runs: slots([RUN, OTHER_RUN]) }], count: 1 };
  const ofQueue = { active_slots: 2, flow_runs: slots([RUN, OTHER_RUN]), count: 2 };
  const ask = async (path: string, scope?: Partial<Scope>) => {
    const answers: Readonly<Record<string, unknown>> = {
      '/api/work_pools/pool-a/concurrency_status': status,
      [`/api/work_queues/${QUEUE}/concurrency_status`]: ofQueue,
      '/api/ui/flow_runs/history': [{ id: RUN }],
      [`/api/work_queues/${QUEUE}`]: { id: QUEUE, name: 'q', work_pool_name: 'pool-a' },
    };
    const gate = startMediator({
      ...(scope !== undefined && { scope }),
      prefect: ({ path: asked }) => (answers[asked] === undefined ? { status: 404 } : { body: json(answers[asked]) }),
    });
    return (await gate.send({ role: 'viewer', path, body: {} })).body.toString();
  };

  it.each(['/api/work_pools/pool-a/concurrency_status', `/api/work_queues/${QUEUE}/concurrency_status`])(
    '%s: runs of the scope; all for a role on everything',
    async (path) => {
      const shown = await ask(path, BOTH);
      expect([shown.includes(RUN), shown.includes(OTHER_RUN), shown.includes('"active_slots":2')]).toEqual([true, false, true]);
      expect(await ask(path)).toContain(`name of ${OTHER_RUN}`);
      expect(await ask(path, { workPools: ['pool-b'] })).not.toContain(RUN);
    },
  );
});

it.each([undefined, BOTH])('a deep run keeps no token from itself and from those that are handed out with it (scope %o)', async (scope) => {
  const visibleIds = [OTHER_RUN, RUN, THIRD];
  const deep = `{"x":${'['.repeat(62)}${']'.repeat(62)}}`;
  const { poll, given } = room({ ...(scope !== undefined && { scope }), visibleIds, parameters: deep });
  const { text } = await poll(POOL_POLL, {});
  expect(given).toHaveLength(3);
  for (const id of visibleIds) expect(text).toContain(`run:lcf_${id}`);
});
