// Policies read the values of parameters on every way that they come; what is allowed has its twin that is not.
import { describe, expect, it } from 'vitest';
import { PARAMETER_ACTIONS } from '../policy/facts.ts';
import { codeOf, DEPLOYMENT, json, type Options, RUN, startMediator } from './mediator.fixture.ts';

const ACTIONS = PARAMETER_ACTIONS.map((action) => `Action::"${action}"`).join(', ');
const only = (...values: readonly string[]) => `@id("only") forbid (principal, action in [${ACTIONS}], resource)
  unless { context.facts has parameter_values && ${JSON.stringify(values)}.containsAll(context.facts.parameter_values) };`;
const VARIABLE = { __prefect_kind: 'workspace_variable', variable_name: 'v' };
/** What is filled in where nobody here can see it. */
const OPEN: readonly unknown[] = [
  VARIABLE,
  { __prefect_kind: 'jinja', template: 'eu' },
  { __prefect_kind: 'json' },
  { __prefect_kind: 'other', value: 'eu' },
  [VARIABLE],
];
const EU = only('region="eu"', 'n=1', 'opts={"a":[1,{"b":null}]}', 'region=null', ...OPEN.map((value) => `region=${JSON.stringify(value)}`));
/** Lists what is not known as well. */
const UNKNOWN_TOO = only('region="eu"', 'n=1', 'region=?');

const FLOW = '22222222-3333-4444-5555-666666666666';
const AUTOMATION = '33333333-4444-5555-6666-777777777777';
const CREATE = `POST /api/deployments/${DEPLOYMENT}/create_flow_run`;
const BULK = `${CREATE}/bulk`;
const SCHEDULES = `/api/deployments/${DEPLOYMENT}/schedules`;

function prefect(deployment: object = {}): NonNullable<Options['prefect']> {
  return ({ method, path }) => {
    if (method === 'GET' && path === `/api/deployments/${DEPLOYMENT}`) return { body: json({ id: DEPLOYMENT, name: 'd', flow_id: FLOW, ...deployment }) };
    if (method === 'GET' && path === `/api/automations/${AUTOMATION}`) return { body: json(automation({ region: 'us' })) };
    if (method === 'GET') return { status: 404 };
    return path.endsWith('/filter') ? { body: json([]) } : { status: 201, body: json({ id: RUN, results: [] }) };
  };
}

function automation(parameters: unknown) {
  const actions = [{ type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT, parameters }];
  return { name: 'a', trigger: { type: 'event', match: { 'prefect.resource.id': `prefect.deployment.${DEPLOYMENT}` } }, actions };
}

const gates = new Map<string, ReturnType<typeof startMediator>>();

/** To parse policies takes longest: one mediator for each set of them. */
function gateOf(policies: string, deployment?: object): ReturnType<typeof startMediator> {
  const key = JSON.stringify([policies, deployment]);
  const gate = gates.get(key) ?? startMediator({ policies, prefect: prefect(deployment) });
  gates.set(key, gate);
  return gate;
}

interface Place {
  readonly policies?: string;
  readonly deployment?: object;
  readonly role?: string;
}

/** Status of what went through, or the code of the refusal; a policy's own word for what an automation would do. */
async function sent(route: string, body: unknown, { policies = EU, deployment, role = 'admin' }: Place = {}): Promise<string | number> {
  const [method = '', path = ''] = route.split(' ');
  const response = await gateOf(policies, deployment).send({ role, method, path, body });
  const code = response.status < 300 ? response.status : codeOf(response);
  return code === 'automation-exceeds-rights' ? 'policy-forbids' : code;
}

const schedule = { schedule: { interval: 3600 } };

/** Each way, with the body that these parameters make. */
const WAYS: readonly (readonly [route: string, body: (parameters: unknown) => unknown])[] = [
  [CREATE, (parameters) => ({ parameters })],
  [BULK, (parameters) => [{ parameters: { region: 'eu' } }, { parameters }]],
  ['POST /api/flow_runs/', (parameters) => ({ flow_id: FLOW, deployment_id: DEPLOYMENT, parameters })],
  ['POST /api/flow_runs/', (parameters) => ({ flow_id: FLOW, parameters, parent_task_run_id: FLOW })],
  [`PATCH /api/flow_runs/${RUN}`, (parameters) => ({ parameters })],
  ['POST /api/deployments/', (parameters) => ({ flow_id: FLOW, name: 'd', parameters })],
  [`PATCH /api/deployments/${DEPLOYMENT}`, (parameters) => ({ parameters })],
  ['POST /api/deployments/', (parameters) => ({ flow_id: FLOW, name: 'd', schedules: [{ ...schedule, parameters }] })],
  [
    `PATCH /api/deployments/${DEPLOYMENT}`,
    (parameters) => ({
      schedules: [
        { ...schedule, parameters: { region: 'eu' } },
        { ...schedule, parameters },
      ],
    }),
  ],
  [
    `POST ${SCHEDULES}`,
    (parameters) => [
      { ...schedule, parameters: { n: 1 } },
      { ...schedule, parameters },
    ],
  ],
  [`PATCH ${SCHEDULES}/${RUN}`, (parameters) => ({ ...schedule, parameters })],
  ['POST /api/automations/', automation],
  [`PUT /api/automations/${RUN}`, automation],
];

describe.each(WAYS)('%s', (route, body) => {
  it('with values on the list goes on, and with others does not', async () => {
    for (const parameters of [{ region: 'eu' }, { n: 1, region: 'eu' }, {}, { opts: { a: [1, { b: null }] } }])
      expect([parameters, await sent(route, body(parameters))]).toEqual([parameters, 201]);
    for (const parameters of [{ region: 'us' }, { region: 'eu', n: 2 }, { other: 'eu' }, { opts: { a: [1, { b: 0 }] } }, { region: ['eu'] }, { n: null }])
      expect([parameters, await sent(route, body(parameters))]).toEqual([parameters, 'policy-forbids']);
  });

  it('is read as JSON, however it is written', async () => {
    const written = (text: string) => sent(route, JSON.stringify(body('@')).replace('"@"', text));
    for (const text of ['{"n": 1.0}', '{"n":1e0}', '{"n":10e-1}', '{"\\u006e":1}', '{"region":"\\u0065\\u0075"}', '{"opts":{"a":[1.0,{"b":null}]}}'])
      expect([text, await written(text)]).toEqual([text, 201]);
    for (const text of ['{"n":1.5}', '{"n":"1"}', '{"n":true}', '{"n":12345678901234567890}', '{"n":1e300}', '{"region":"\\u0065\\u0075 "}', '{"region":"EU"}'])
      expect([text, await written(text)]).toEqual([text, 'policy-forbids']);
    expect(await written('{"region":"us","region":"eu"}')).toBe('body-not-json');
    expect(await written('{"region":"us","\\u0072egion":"eu"}')).toBe('body-not-json');
  });

  it('a value that is filled in elsewhere is on no list, though its text may be', async () => {
    for (const value of OPEN) {
      expect([value, await sent(route, body({ region: value }))]).toEqual([value, 'policy-forbids']);
      expect([value, await sent(route, body({ region: value }), { policies: UNKNOWN_TOO })]).toEqual([value, 201]);
    }
  });

  it('parameters without names are denied to every principal, if a policy reads them', async () => {
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, number) => [`p${number}`, 1]));
    for (const parameters of [many, { __prefect_kind: 'json', value: '{"region":"us"}' }, { ['x'.repeat(201)]: 1 }, { '?': 1 }]) {
      const [first = ''] = Object.keys(parameters);
      expect([first, await sent(route, body(parameters))]).toEqual([first, 'parameters-unreadable']);
      expect([first, await sent(route, body(parameters), { policies: '' })]).toEqual([first, 201]);
    }
  });
});

describe('values of parameters', () => {
  it('come compressed to no policy', async () => {
    const gate = gateOf(EU);
    const request = { role: 'admin', path: CREATE.replace('POST ', ''), body: json({ parameters: { region: 'eu' } }) };
    expect(codeOf(await gate.send({ ...request, headers: { 'content-encoding': 'gzip' } }))).toBe('content-encoding-unsupported');
    expect(await gate.send(request)).toMatchObject({ status: 201 });
  });

  it('that Prefect fills in at once are decided on filled in', async () => {
    const json1 = { __prefect_kind: 'json', value: '"eu"' };
    const nested = { __prefect_kind: 'none', value: { a: [1, { __prefect_kind: 'json', value: '{"b": null}' }] } };
    for (const [route, body] of WAYS.slice(0, 2)) {
      expect(await sent(route, body({ region: json1, opts: nested }))).toBe(201);
      const others = ['"us"', 'eu', '{"__prefect_kind":"json","value":"\\"eu\\""}', 'NaN', '{"a":1,"a":2}'];
      for (const value of others) expect([value, await sent(route, body({ region: { ...json1, value } }))]).toEqual([value, 'policy-forbids']);
    }
    // The other ways keep what is written there.
    expect(await sent(`PATCH /api/flow_runs/${RUN}`, { parameters: { region: json1 } })).toBe('policy-forbids');
  });

  it('that an automation renders are none before', async () => {
    const templates = ['{{ event.id }}', '{% if 1 %}eu{% endif %}', 'e{# #}u', ['{{ x }}']];
    const policies = only(...templates.map((region) => `region=${JSON.stringify(region)}`));
    for (const region of templates) {
      expect(await sent('POST /api/automations/', automation({ region }), { policies })).toBe('policy-forbids');
      expect(await sent(CREATE, { parameters: { region } }, { policies })).toBe(201);
    }
  });

  it('are those of the automation that is switched on', async () => {
    expect(await sent(`PATCH /api/automations/${AUTOMATION}`, { enabled: true })).toBe('policy-forbids');
    expect(await sent(`PATCH /api/automations/${AUTOMATION}`, { enabled: true }, { policies: only('region="us"') })).toBe(201);
  });

  it('longer than a list would hold are not known, and hide none of the others', async () => {
    const long = 'x'.repeat(1_025);
    const texts = only(`text=${JSON.stringify(long)}`, `text="${'x'.repeat(1_000)}"`);
    expect(await sent(CREATE, { parameters: { text: long } }, { policies: texts })).toBe('policy-forbids');
    expect(await sent(CREATE, { parameters: { text: 'x'.repeat(1_000) } }, { policies: texts })).toBe(201);
    const filled = Object.fromEntries(Array.from({ length: 20 }, (_, number) => [`a${number}`, 'x'.repeat(1_000)]));
    const listed = only('region="eu"', ...Object.entries(filled).map(([name, value]) => `${name}="${value}"`));
    expect(await sent(CREATE, { parameters: { ...filled, region: 'eu' } }, { policies: listed })).toBe('policy-forbids');
    const policies = `@id("must") forbid (principal, action, resource) when { context.facts has parameter_names && context.facts.parameter_names.contains("region")
      && !(context.facts has parameter_values && context.facts.parameter_values.contains("region=\\"eu\\"")) };`;
    expect(await sent(CREATE, { parameters: { ...filled, region: 'us' } }, { policies })).toBe('policy-forbids');
    expect(await sent(CREATE, { parameters: { a: long, region: 'eu' } }, { policies })).toBe(201);
    expect(await sent(CREATE, { parameters: { a: long } }, { policies })).toBe(201);
  });

  it('say that one is not known, for a policy that lists what must not be', async () => {
    const policies = `@id("no-us") forbid (principal, action in [${ACTIONS}], resource) when { context.facts has parameter_values && context.facts has parameters_unreadable
      && (context.facts.parameters_unreadable || context.facts.parameter_values.contains("region=\\"us\\"")) };`;
    expect(await sent(CREATE, { parameters: { region: 'eu' } }, { policies })).toBe(201);
    for (const region of ['us', VARIABLE]) expect(await sent(CREATE, { parameters: { region } }, { policies })).toBe('policy-forbids');
  });

  it('laid over a deployment that is one reference as a whole are not known, by hand and by an automation alike', async () => {
    const kind = { parameters: { __prefect_kind: 'json', value: '{}' } };
    const given = { value: '{"region":"us"}' };
    const policies = only(`value=${JSON.stringify(given.value)}`);
    for (const [route, body] of [
      [CREATE, { parameters: given }],
      [BULK, [{ parameters: given }]],
      ['POST /api/automations/', automation(given)],
    ] as const) {
      expect([route, await sent(route, body, { policies, deployment: kind })]).toEqual([route, 'parameters-unreadable']);
      expect([route, await sent(route, body, { policies, deployment: { parameters: { value: 1 } } })]).toEqual([route, 201]);
    }
  });

  it('laid over it name any variable, and are asked for as a read of all', async () => {
    const policies = '@id("blind") forbid (principal, action == Action::"variables.read", resource) unless { resource == Variable::"harmless" };';
    const kind = { parameters: { __prefect_kind: 'workspace_variable', variable_name: 'harmless' } };
    for (const [route, body] of [
      [CREATE, (parameters: unknown) => ({ parameters })],
      [BULK, (parameters: unknown) => [{}, { parameters }]],
      ['POST /api/automations/', automation],
    ] as const) {
      const outcomes = [];
      for (const deployment of [kind, { parameters: { n: kind.parameters } }]) {
        for (const given of [{ variable_name: 'secret' }, { n: 1 }]) outcomes.push(await sent(route, body(given), { policies, deployment }));
      }
      expect([route, ...outcomes]).toEqual([route, 'policy-forbids', 201, 201, 201]);
    }
  });

  it('of one schedule are no excuse for another, and more sets than are decided on are refused', async () => {
    const policies = `@id("eu") forbid (principal, action == Action::"deployments.run.parameters", resource)
      unless { context.facts has parameter_values && context.facts.parameter_values.contains("region=\\"eu\\"") };`;
    const schedules = (...all: readonly object[]) => all.map((parameters) => ({ ...schedule, parameters }));
    for (const [route, body] of [
      [`POST ${SCHEDULES}`, (list: unknown) => list],
      [`PATCH /api/deployments/${DEPLOYMENT}`, (list: unknown) => ({ schedules: list })],
    ] as const) {
      expect(await sent(route, body(schedules({ region: 'eu' }, { region: 'eu', n: 1 })), { policies })).toBe(201);
      expect(await sent(route, body(schedules({ region: 'eu' }, { n: 1 })), { policies })).toBe('policy-forbids');
      const many = schedules(...Array.from({ length: 101 }, (_, n) => ({ region: 'eu', n })));
      expect(await sent(route, body(many), { policies })).toBe('parameters-unreadable');
      expect(await sent(route, body(many.slice(1)), { policies })).toBe(201);
    }
  });

  it('are none where a request leaves them as they are', async () => {
    for (const [route, body] of [
      [CREATE, {}],
      [`PATCH /api/flow_runs/${RUN}`, { name: 'x' }],
      [`PATCH /api/deployments/${DEPLOYMENT}`, { description: 'x' }],
      [`PATCH ${SCHEDULES}/${RUN}`, schedule],
      [`DELETE ${SCHEDULES}/${RUN}`, undefined],
      ['POST /api/automations/', { ...automation(null), owner_resource: `prefect.deployment.${DEPLOYMENT}` }],
    ] as const)
      expect([route, await sent(route, body)]).toEqual([route, 201]);
  });

  it('stand beside the state that a run begins in', async () => {
    const policies = `@id("s") forbid (principal, action, resource) when { context.facts has state_type && context.facts.state_type == "COMPLETED" };`;
    const ways: readonly (readonly [string, (state: unknown) => unknown])[] = [
      [CREATE, (state) => ({ state })],
      [BULK, (state) => [{}, { state }]],
      ['POST /api/flow_runs/', (state) => ({ flow_id: FLOW, deployment_id: DEPLOYMENT, state })],
      ['POST /api/flow_runs/', (state) => ({ flow_id: FLOW, state })],
    ];
    for (const [route, body] of ways) {
      expect([route, await sent(route, body({ type: 'COMPLETED', name: 'Done' }), { policies })]).toEqual([route, 'policy-forbids']);
      for (const state of [{ type: 'SCHEDULED' }, { type: 'PENDING' }, null])
        expect([route, await sent(route, body(state), { policies })]).toEqual([route, 201]);
    }
  });

  it('that name a variable are a read of it on every way, also where Prefect fills in nothing yet', async () => {
    const policies = '@id("blind") forbid (principal, action == Action::"variables.read", resource == Variable::"v");';
    const named = (variable_name: string) => ({ a: [{ __prefect_kind: 'workspace_variable', variable_name }] });
    for (const [route, body] of WAYS) {
      expect([route, await sent(route, body(named('v')), { policies })]).toEqual([route, 'policy-forbids']);
      expect([route, await sent(route, body(named('w')), { policies })]).toEqual([route, 201]);
    }
  });

  it('stand in no record', async () => {
    const gate = startMediator({ policies: only('password="hunter2"'), prefect: prefect() });
    for (const password of ['hunter2', 'hunter3']) await gate.send({ role: 'admin', path: CREATE.replace('POST ', ''), body: { parameters: { password } } });
    expect(gate.record()).toMatchObject({ decision: 'deny', policies: ['only'] });
    expect(JSON.stringify([...gate.records])).not.toContain('hunter');
  });

  it('are not collected, and the deployment not looked at, where no policy reads them', async () => {
    const looks = async (policies: string) => {
      const gate = startMediator({ policies, prefect: prefect() });
      await gate.send({ role: 'operator', path: CREATE.replace('POST ', ''), body: { parameters: { n: 1 } } });
      return gate.forwarded.filter(({ method }) => method === 'GET').length;
    };
    expect(await looks('')).toBe(0);
    expect(await looks('@id("f") forbid (principal, action, resource) when { context.facts has force && context.facts.force };')).toBe(0);
    expect(await looks(EU)).toBe(1);
  });

  it('a permit of values alone lets its values through, before whose body is read nothing of it is known', async () => {
    const policies = `@id("p") permit (principal == Principal::"token:auditor", action in [Action::"deployments.run", Action::"deployments.run.parameters"], resource)
      when { resource has name && resource.name == "d" && context.facts has parameter_values && ["region=\\"eu\\""].containsAll(context.facts.parameter_values) };`;
    const run = (region: string, own: object = {}) => sent(CREATE, { parameters: { region } }, { policies, role: 'auditor', deployment: own });
    expect(await run('eu')).toBe(201);
    expect(await run('us')).toBe('policy-default-deny');
    expect(await run('eu', { name: 'e' })).toBe('policy-default-deny');
  });
});
