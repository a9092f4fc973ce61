// What nobody writes into job variables and templates, an administrator neither: on every way that carries some.
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const FLOW = '33333333-3333-4333-8333-333333333333';
const run = `POST /api/deployments/${DEPLOYMENT}/create_flow_run`;
const trigger = { type: 'event', expect: ['x'], posture: 'Reactive', threshold: 1, within: 0 };
const automation = (job_variables: object) => ({
  name: 'a',
  enabled: true,
  trigger,
  actions: [{ type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT, parameters: null, job_variables }],
});

/** Each with the body that gives these job variables. */
const WAYS: readonly (readonly [route: string, body: (job_variables: object) => unknown])[] = [
  [run, (job_variables) => ({ job_variables })],
  [`${run}/bulk`, (job_variables) => [{}, { job_variables }]],
  ['POST /api/flow_runs/', (job_variables) => ({ flow_id: FLOW, job_variables })],
  [`PATCH /api/flow_runs/${RUN}`, (job_variables) => ({ job_variables })],
  ['POST /api/deployments/', (job_variables) => ({ name: 'd', flow_id: FLOW, job_variables })],
  [`PATCH /api/deployments/${DEPLOYMENT}`, (job_variables) => ({ job_variables })],
  ['POST /api/automations/', automation],
  ['POST /api/work_pools/', (job_variables) => ({ name: 'p', base_job_template: { job_configuration: job_variables, variables: {} } })],
  ['PATCH /api/work_pools/p', (job_variables) => ({ base_job_template: { job_configuration: job_variables, variables: {} } })],
];

/** The same action in each list of an automation's actions. */
const LISTED = ['actions', 'actions_on_trigger', 'actions_on_resolve'].map((key): (typeof WAYS)[number] => [
  'POST /api/automations/',
  (job_variables) => ({ ...automation({}), [key]: automation(job_variables).actions }),
]);

const options = { prefect: prefectWith({}, { status: 201, body: json({ id: RUN }) }) };

it.each([...WAYS, ...LISTED])('%s makes no job of another run', async (route, body) => {
  for (const labels of [{ 'prefect.io/flow-run-id': RUN }, { 'io.prefect.flow-run-id': RUN }, { $ref: { block_document_id: RUN } }]) {
    expect(await outcomeOf('admin', route, body({ labels }), options)).toMatchObject({ result: 'env-reserved', arrived: false });
  }
  expect((await outcomeOf('admin', route, body({ labels: { team: 'a', 'example.com/tier': 'x' } }), options)).result).toBe(201);
});

it('a pool may name the address of the gateway for its jobs, and no other address', async () => {
  const templates = (url: string) => [
    { job_configuration: { env: { PREFECT_API_URL: url } }, variables: {} },
    { job_configuration: { env: '{{ env }}' }, variables: { properties: { env: { default: { PREFECT_API_URL: url } } } } },
  ];
  for (const route of ['POST /api/work_pools/', 'PATCH /api/work_pools/p']) {
    const results = async (url: string) =>
      Promise.all(templates(url).map(async (base_job_template) => (await outcomeOf('admin', route, { name: 'p', base_job_template }, options)).result));
    expect(await results('https://gate/api')).toEqual([201, 201]);
    for (const other of ['https://gate/api/', 'https://gate.example.com/api', 'http://gate/api'])
      expect(await results(other)).toEqual(['env-reserved', 'env-reserved']);
  }
});

describe('what gives away the environment of a worker', () => {
  it.each(WAYS)('%s rejects it for every principal', async (route, body) => {
    for (const variables of [{ name: 'x-{{ $VAULT_PASSWORD }}' }, { env: { A: '{{$PREFECT_API_KEY}}' } }, { name: '{{ prefect.variables.v }}' }]) {
      expect(await outcomeOf('admin', route, body(variables), options)).toMatchObject({ result: 'env-reserved', arrived: false });
    }
    for (const variables of [{ command: 'echo $HOME' }, { env: { A: '{{ prefect.variables.v }}' } }]) {
      expect((await outcomeOf('admin', route, body(variables), options)).result).toBe(201);
    }
  });

  it('may stand in pull steps, which are filled in in the run', async () => {
    const pull_steps = [{ 'prefect.deployments.steps.set_working_directory': { directory: '{{ $HOME }}' } }];
    expect((await outcomeOf('deployer', 'POST /api/deployments/', { name: 'd', flow_id: FLOW, pull_steps }, options)).result).toBe(201);
  });

  it('is repeated where the deployment has it already', async () => {
    const job_variables = { name: 'x-{{ $HOST }}' };
    const prefect = prefectWith({ [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, job_variables } }, { status: 201, body: json({ id: RUN }) });
    expect((await outcomeOf('operator', run, { job_variables }, { prefect })).result).toBe(201);
    expect((await outcomeOf('admin', run, { job_variables: { name: 'y-{{ $HOST }}' } }, { prefect })).result).toBe('env-reserved');
  });
});
