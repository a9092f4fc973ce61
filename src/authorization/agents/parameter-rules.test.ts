// The rules of an agent for parameters, by each way that gives parameters to runs of a deployment.
import { describe, expect, it } from 'vitest';
import { agentId, type Principal } from '../../contract/principal.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import { createConditions } from '../mediate/conditions.ts';
import { codeOf, DEPLOYMENT, json, prefectWith, RUN, type Sent, startMediator } from '../mediate/mediator.fixture.ts';
import { createAgentBook } from './agent-book.ts';
import { AS_AGENT, AS_HELPER, anAgent } from './budgets.fixture.ts';
import { createParameterRules } from './parameter-rules.ts';

const FLOW = 'cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const RULE = { type: 'object', properties: { region: { enum: ['eu', 'us'] }, dry: { const: true } }, required: ['region'], additionalProperties: false };
const STORED = {
  [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, name: 'nightly', flow_id: FLOW, parameters: { region: 'eu' }, enforce_parameter_schema: true },
  [`GET /api/flows/${FLOW}`]: { id: FLOW, name: 'etl' },
  [`GET /api/flow_runs/${RUN}`]: { id: RUN, flow_id: FLOW, deployment_id: DEPLOYMENT },
};

function open({ deployments = 'etl/nightly', schema = RULE as Readonly<Record<string, unknown>>, as = AS_AGENT, role = 'operator' } = {}) {
  const agents = [anAgent({}, { parameters: [{ deployments, schema }] }), anAgent({}, { name: 'helper' })];
  const prefect = prefectWith(STORED, { status: 201 });
  const looked: string[] = [];
  const lookup = createLookup({
    async request(request) {
      looked.push(request.path);
      return { status: 200, headers: {}, body: json({}), upstreamMs: 1, ...(prefect(request) as object) };
    },
  });
  const entities = createEntities({ lookup, lasting: lookup, makerOf: async () => null });
  const conditions = createConditions([createParameterRules({ book: createAgentBook(agents), agents, entities })]);
  const gate = startMediator({ prefect, principal: as, parts: { conditions } });
  return async (sent: Omit<Sent, 'role'>) => {
    const response = await gate.send({ role, ...sent });
    const writes = gate.forwarded.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/filter'));
    return { response, result: response.status < 300 ? response.status : codeOf(response), arrived: writes.length > 0, looked };
  };
}

const create = (parameters: unknown, further = {}) => ({ path: `/api/deployments/${DEPLOYMENT}/create_flow_run`, body: { parameters, ...further } });

describe('a run', () => {
  it.each<[unknown]>([[{ region: 'eu' }], [{ region: 'us', dry: true }], [{ region: { __prefect_kind: 'json', value: '"eu"' } }]])(
    'may have %j',
    async (given) => {
      expect(await open()(create(given))).toMatchObject({ result: 201, arrived: true });
    },
  );

  it.each<[unknown, string]>([
    [{ region: 'SECRET' }, 'parameters/region must be equal to one of the allowed values'],
    [{ region: 'eu', dry: false }, 'parameters/dry must be equal to constant'],
    [{ region: 'eu', more: 'SECRET' }, 'parameters must NOT have additional properties: more'],
    [{}, "parameters must have required property 'region'"],
    [null, "parameters must have required property 'region'"],
    [{ region: { __prefect_kind: 'json', value: '"SECRET"' } }, 'parameters/region must be equal to one of the allowed values'],
    [{ region: { __prefect_kind: 'workspace_variable', variable_name: 'v' } }, 'unknown before Prefect fills it in'],
    [{ __prefect_kind: 'none', value: { region: 'eu' } }, 'unknown before Prefect fills it in'],
    [{ region: 'e'.repeat(2_000) }, 'too long to check'],
  ])('must not have %j: the answer names path and rule, and no value', async (given, problem) => {
    const { response, result, arrived } = await open({ role: 'admin' })(create(given));
    expect([result, arrived, response.status]).toEqual(['parameters-refused', false, 403]);
    const { detail } = JSON.parse(response.body.toString()) as { detail: string };
    expect(detail).toContain(`The rule of the agent copilot for etl/nightly refuses this: `);
    expect(detail).toContain(problem);
    expect(detail).not.toContain('SECRET');
  });

  it.each<[string, string, string | number]>([
    ['etl/*', 'us', 201],
    ['etl/*', 'asia', 'parameters-refused'],
    ['etl/weekly', 'asia', 201],
  ])('of a deployment that %s covers, with %s: %s', async (deployments, region, result) => {
    expect((await open({ deployments })(create({ region }))).result).toBe(result);
  });

  it('is refused by a rule that cannot be compiled', async () => {
    expect((await open({ schema: { type: 'objekt' } })(create({ region: 'eu' }))).result).toBe('parameters-refused');
  });
});

const [GOOD, BAD] = [{ region: 'eu' }, { region: 'asia' }];
const trigger = { type: 'event', posture: 'Reactive', expect: ['x'], for_each: [], threshold: 1, within: 0 };
const action = (parameters: unknown) => ({ type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT, parameters });
const schedule = (parameters: unknown) => ({ schedule: { interval: 3600 }, parameters });

describe('every way to give parameters', () => {
  it.each<[string, (parameters: unknown) => Omit<Sent, 'role'>]>([
    ['create', (given) => create(given)],
    ['bulk', (given) => ({ path: `/api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, body: [{ parameters: GOOD }, { parameters: given }] })],
    ['form', (given) => create(given, { enforce_parameter_schema: true, state: { type: 'SCHEDULED' } })],
    ['update of a run', (given) => ({ method: 'PATCH', path: `/api/flow_runs/${RUN}`, body: { parameters: given } })],
    ['new schedule', (given) => ({ path: `/api/deployments/${DEPLOYMENT}/schedules`, body: [schedule(GOOD), schedule(given)] })],
    ['schedule', (given) => ({ method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}/schedules/${RUN}`, body: { parameters: given } })],
    ['deployment', (given) => ({ method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}`, body: { parameters: given } })],
    ['schedules of a deployment', (given) => ({ method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}`, body: { schedules: [schedule(given)] } })],
    ['new deployment', (given) => ({ path: '/api/deployments/', body: { name: 'nightly', flow_id: FLOW, parameters: given } })],
    ['automation', (given) => ({ path: '/api/automations/', body: { name: 'a', trigger, actions: [action(given)] } })],
  ])('%s', async (_way, sent) => {
    const good = await open({ role: 'admin' })(sent(GOOD));
    expect([good.result, good.arrived]).toEqual([201, true]);
    expect(await open({ role: 'admin' })(sent(BAD))).toMatchObject({ result: 'parameters-refused', arrived: false });
    expect(await open({ role: 'admin', as: { id: 'alice@corp', kind: 'user' } })(sent(BAD))).toMatchObject({ result: 201, arrived: true });
  });

  it('a template of an automation is unknown', async () => {
    const sent = { path: '/api/automations/', body: { name: 'a', trigger, actions: [action({ region: '{{ event.payload.x }}' })] } };
    expect((await open({ role: 'admin' })(sent)).result).toBe('parameters-refused');
  });

  it.each<[string, Omit<Sent, 'role'>]>([
    ['of a run', { method: 'PATCH', path: `/api/flow_runs/${RUN}`, body: { parameters: {} } }],
    ['of a deployment', { method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}`, body: { parameters: {} } }],
  ])('an empty set removes the parameters %s, so it must meet the rule too', async (_what, sent) => {
    expect(await open({ role: 'admin' })(sent)).toMatchObject({ result: 'parameters-refused', arrived: false });
    expect((await open({ role: 'admin', schema: { type: 'object' } })(sent)).result).toBe(201);
  });

  it('a write that gives no parameters needs none', async () => {
    expect((await open({ role: 'admin' })({ method: 'PATCH', path: `/api/flow_runs/${RUN}`, body: { name: 'x' } })).result).toBe(201);
    expect((await open({ role: 'admin' })({ method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}`, body: { description: 'x' } })).result).toBe(201);
  });
});

it('asks Prefect once for the deployment of all runs of a bulk', async () => {
  const body = Array.from({ length: 50 }, (_, at) => ({ parameters: { region: 'eu', at } }));
  const sent = { path: `/api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, body };
  const { result, looked } = await open({ schema: { required: ['region'] } })(sent);
  expect([result, looked]).toEqual([201, [`/api/deployments/${DEPLOYMENT}`, `/api/flows/${FLOW}`]]);
});

describe('job variables and other overrides', () => {
  it.each<[string, Omit<Sent, 'role'>]>([
    ['job_variables of a run', create(GOOD, { job_variables: { image: 'SECRET' } })],
    ['the work queue of a run', create(GOOD, { work_queue_name: 'fast' })],
    ['the first state of a run', create(GOOD, { state: { type: 'RUNNING' } })],
    ['an unchecked run', create(GOOD, { enforce_parameter_schema: false })],
    ['a run without its deployment', { path: '/api/flow_runs/', body: { flow_id: FLOW, work_pool_name: 'p' } }],
    ['a run beside its deployment', { path: '/api/flow_runs/', body: { flow_id: FLOW, deployment_id: DEPLOYMENT, parameters: GOOD } }],
    ['job_variables of an update', { method: 'PATCH', path: `/api/flow_runs/${RUN}`, body: { job_variables: { image: 'SECRET' } } }],
    ['job_variables of a deployment', { method: 'PATCH', path: `/api/deployments/${DEPLOYMENT}`, body: { job_variables: { image: 'SECRET' } } }],
    [
      'job_variables of an automation',
      { path: '/api/automations/', body: { name: 'a', trigger, actions: [{ ...action(GOOD), job_variables: { image: 'x' } }] } },
    ],
  ])('%s are not for agents, whatever their role', async (_what, sent) => {
    const { response, result, arrived } = await open({ role: 'admin' })(sent);
    expect([result, arrived, response.status]).toEqual(['job-variables-refused', false, 403]);
    expect(response.body.toString()).not.toContain('SECRET');
    expect(await open({ role: 'admin', as: { id: 'alice@corp', kind: 'user' } })(sent)).toMatchObject({ result: 201, arrived: true });
  });

  it('that repeat the deployment override nothing', async () => {
    expect((await open({ role: 'admin' })(create(GOOD, { enforce_parameter_schema: true, job_variables: {} }))).result).toBe(201);
  });
});

it('a rule holds for each link of a chain', async () => {
  expect((await open({ as: AS_HELPER, role: 'agent' })(create(BAD))).result).toBe('parameters-refused');
  expect((await open({ as: AS_HELPER, role: 'agent' })(create(GOOD))).result).toBe(201);
  const alone: Partial<Principal> = { id: agentId('helper'), kind: 'agent' };
  expect((await open({ as: alone })(create(BAD))).result).toBe(201);
});
