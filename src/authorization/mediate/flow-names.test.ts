// A principal with scopes may name a flow by its id if it sees the flow or has registered its name.
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../contract/scope.ts';
import { DEPLOYMENT, json, type Options, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const FLOW = 'cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee';
const ABSENT = 'dddddddd-bbbb-cccc-dddd-eeeeeeeeeeee';
const TEAM: Partial<Scope> = { tags: ['team-a'] };
const flow = { id: FLOW, name: 'etl', tags: ['word-b'], labels: { 'b.secret': 'x' }, created: '2020-01-01T00:00:00Z', updated: '2020-01-01T00:00:00Z' };
const use = (tag: string) => ({
  id: DEPLOYMENT,
  name: 'x',
  flow_id: FLOW,
  tags: [tag],
  work_pool_name: null,
  job_variables: { env: { PREFECT_API_URL: 'u' } },
});
/** A Prefect where these tags use the flow. */
const usedBy = (...tags: readonly string[]) => ({
  [`GET /api/flows/${FLOW}`]: flow,
  [`GET /api/deployments/${DEPLOYMENT}`]: use('team-a'),
  'POST /api/deployments/filter': tags.map(use),
  'POST /api/flow_runs/filter': [],
  'POST /api/flows/': flow,
});
const settings = (objects: Readonly<Record<string, unknown>>, more: Partial<Options> = {}): Options => ({
  scope: TEAM,
  prefect: prefectWith(objects, { status: 201, body: json({ id: RUN, name: 'new' }) }),
  ...more,
});

const deployment = { name: 'new', tags: ['team-a'] };
const routes = [
  ['POST /api/deployments/', deployment],
  ['POST /api/flow_runs/', { tags: ['team-a'] }],
  ['POST /api/flow_runs/', { tags: ['team-a'], deployment_id: DEPLOYMENT }],
] as const;

describe.each(routes)('%s %j', (route, body) => {
  const send = (id: string, options: Options) => outcomeOf('deployer', route, { ...body, flow_id: id }, options);
  const foreign = { ...usedBy('team-b'), 'POST /api/deployments/filter': [] };

  it('names a flow that is reached', async () => {
    const visibleIds = {
      ...usedBy('team-a'),
      'POST /api/deployments/filter': [],
      'POST /api/flow_runs/filter': [{ id: RUN, flow_id: FLOW, tags: ['team-a'] }],
    };
    expect(await send(FLOW, settings(visibleIds))).toMatchObject({ result: 201, arrived: true });
  });

  it('twin: of a foreign one, and of one without any use, there is none', async () => {
    for (const runs of [[{ id: RUN, flow_id: FLOW, tags: ['team-b'] }], []]) {
      const { response, arrived, gate } = await send(FLOW, settings({ ...foreign, 'POST /api/flow_runs/filter': runs }));
      const absent = await send(ABSENT, settings(foreign));
      expect([response.status, arrived, gate.record().reason]).toEqual([404, false, 'object-foreign']);
      expect([absent.response.status, absent.response.body.toString()]).toEqual([404, response.body.toString()]);
    }
  });

  it('names one that the principal has registered or made; nobody else’s name gives it', async () => {
    expect(await send(FLOW, settings(foreign, { knows: [`token:deployer ${FLOW}`] }))).toMatchObject({ result: 201 });
    expect(await send(FLOW, settings(foreign, { makerOf: async () => 'token:deployer' }))).toMatchObject({ result: 201 });
    expect((await send(FLOW, settings(foreign, { knows: [`token:other ${FLOW}`] }))).response.status).toBe(404);
    expect((await send(FLOW, settings(foreign, { makerOf: async () => 'token:other' }))).response.status).toBe(404);
    expect((await send(ABSENT, settings(foreign, { knows: [`token:deployer ${ABSENT}`] }))).response.status).toBe(404);
  });

  it('asks nothing more of a role on everything', async () => {
    const { prefect } = settings(foreign);
    expect(await outcomeOf('deployer', route, { ...body, flow_id: ABSENT }, prefect === undefined ? {} : { prefect })).toMatchObject({ result: 201 });
  });
});

it('a foreign deployment of the flow does not change the answer, whatever the body guesses of it', async () => {
  const guess = (url: string) => ({ ...deployment, name: 'x', flow_id: FLOW, job_variables: { env: { PREFECT_API_URL: url } } });
  const sent = await Promise.all(['u', 'v'].map((url) => outcomeOf('deployer', 'POST /api/deployments/', guess(url), settings(usedBy('team-b')))));
  expect(sent.map(({ response }) => response.status)).toEqual([404, 404]);
  const own = await outcomeOf('deployer', 'POST /api/deployments/', guess('v'), settings(usedBy('team-a')));
  expect(own.result).toBe('env-reserved');
});

it('a flow_id that cannot be read is refused', async () => {
  const { result } = await outcomeOf('deployer', 'POST /api/flow_runs/', { flow_id: `urn:uuid:${FLOW}`, tags: ['team-a'] }, settings({}));
  expect(result).toBe('body-invalid');
});

describe('POST /flows/', () => {
  const register = async (options: Options) => {
    const gate = startMediator(options);
    const response = await gate.send({ role: 'deployer', path: '/api/flows/', body: { name: 'etl', tags: ['mine'] } });
    const text = response.body.toString();
    return { gate, status: response.status, text, flow: JSON.parse(text) as Record<string, unknown> };
  };

  it('gives the id of a foreign flow as if the request had created it, and allows its use', async () => {
    const options = settings(usedBy('team-b'));
    const { status, text, flow: given, gate } = await register(options);
    expect([status, given['id'], given['name'], given['tags'], given['labels']]).toEqual([201, FLOW, 'etl', ['mine'], {}]);
    expect(text).not.toMatch(/word-b|b\.secret|2020/);
    expect([...gate.known]).toEqual([`token:deployer ${FLOW}`]);
    const made = await gate.send({ role: 'deployer', path: '/api/deployments/', body: { ...deployment, flow_id: FLOW } });
    expect(made.status).not.toBe(404);
  });

  it('shows a principal that shares the flow only its name', async () => {
    const { status, flow: given } = await register(settings(usedBy('team-a', 'team-b')));
    expect([status, given['tags'], given['labels'], given['created']]).toEqual([200, [], {}, flow.created]);
  });

  it('twin: shows the whole flow to a principal that covers all of its uses, created it, or holds the role on everything', async () => {
    const { prefect } = settings(usedBy('team-b'));
    const whole: Options = prefect === undefined ? {} : { prefect };
    for (const options of [settings(usedBy('team-a')), settings(usedBy('team-b'), { makerOf: async () => 'token:deployer' }), whole]) {
      const { status, flow: given } = await register(options);
      expect([status, given['tags'], given['labels']]).toEqual([200, flow.tags, flow.labels]);
    }
  });
});

describe('what is written on a flow', () => {
  const read = async (route: string, objects: Readonly<Record<string, unknown>>) => {
    const { response } = await outcomeOf('deployer', route, route.startsWith('GET') ? undefined : {}, settings(objects));
    return response.body.toString();
  };
  const more = (tags: readonly string[]) => ({ ...usedBy(...tags), 'POST /api/flows/filter': [flow], 'GET /api/flows/name/etl': flow });

  it.each([`GET /api/flows/${FLOW}`, 'GET /api/flows/name/etl', 'POST /api/flows/filter'])(
    '%s shows it where all uses are inside, and not where others use it',
    async (route) => {
      expect(await read(route, more(['team-a']))).toContain('word-b');
      const shared = await read(route, more(['team-a', 'team-b']));
      expect(shared).toContain('etl');
      expect(shared).not.toMatch(/word-b|b\.secret/);
    },
  );
});
