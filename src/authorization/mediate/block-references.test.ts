// A principal that writes parameters reads the blocks that they name: on all routes with parameters, in all forms that Prefect loads.
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { namedBlockAsks, newBlockAsks, storedBlockAsks } from './block-references.ts';
import { DEPLOYMENT, forbid, json, type Options, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const TEXT = JSON.stringify({ $ref: { block_document_id: ID } });
const named = (asks: ReturnType<typeof namedBlockAsks>) => asks.map(({ action, resource }) => `${action} ${resource.id}`);
const THIS = [`blocks.read_secrets ${ID}`];
const ANY = ['blocks.read_secrets null'];

describe('a block that a parameter names', () => {
  it.each<[JsonValue, string[]]>([
    [{ a: { $ref: { block_document_id: ID.toUpperCase() } } }, THIS],
    [{ a: [{ b: { $ref: ID.replaceAll('-', '') } }] }, THIS],
    [{ a: { $ref: `{${ID}}` } }, ANY],
    [{ a: { $ref: `urn:uuid:${ID}` } }, ANY],
    [{ a: { $ref: `\u0085${ID.replaceAll('-', '').slice(1)}` } }, ANY],
    [{ a: { $ref: `0x${ID.replaceAll('-', '').slice(2)}` } }, ANY],
    [{ a: { $ref: 'definitions' } }, ANY],
    [{ a: { $ref: { block_document_slug: 'secret/prod' } } }, ['blocks.read_secrets prod']],
    [{ a: { $ref: { block_document_slug: 'secret/a/b' } } }, ['blocks.read_secrets a/b']],
    [{ a: { $ref: { block_document_id: null, block_document_slug: 'secret/prod' } } }, ['blocks.read_secrets prod']],
    [{ a: { $ref: { block_document_id: '', block_document_slug: 'secret/prod' } } }, ['blocks.read_secrets prod']],
    [{ a: { $ref: { block_document_id: ID, block_document_slug: 'secret/prod' } } }, THIS],
    [{ a: { $ref: { block_document_slug: 'prod' } } }, ANY],
    [{ a: { $ref: { block_document_slug: 1 } } }, ANY],
    [{ a: { $ref: { block_document_id: 1 } } }, ANY],
    [{ a: { $ref: {} } }, ANY],
    // What Prefect fills in first, or an automation renders, may turn out to be any of them.
    [{ a: { $ref: { __prefect_kind: 'none', value: ID, block_document_id: RUN } } }, ANY],
    [{ a: { $ref: '1111111-{{ event.payload.rest }}' } }, ANY],
    [{ a: { $ref: { block_document_slug: 'secret/{{ event.payload.name }}' } } }, ANY],
    [{ a: { __prefect_kind: 'json', value: TEXT } }, THIS],
    [{ a: { __prefect_kind: 'json', value: JSON.stringify(TEXT) } }, THIS],
    [{ a: { __prefect_kind: 'json', value: TEXT.replace('$', '\\u0024') } }, THIS],
    [{ a: { __prefect_kind: 'json', value: TEXT.replace('}', ',"x":NaN}') } }, ANY],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'none', value: TEXT } } }, THIS],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'jinja', template: 'x' } } }, ANY],
  ])('%j reads %j', (tree, expected) => {
    expect(named(namedBlockAsks(tree))).toEqual(expected);
  });

  it.each<JsonValue>([
    { schema: { properties: { a: { $ref: '#/definitions/a' } }, $defs: { b: { $ref: 'https://example.com/b.json' }, c: { $ref: 'definitions.yaml' } } } },
    { a: { $ref: null } },
    { a: { $ref: 7 } },
    { a: { $ref: [ID] } },
    { a: ID, b: '$ref', c: { block_document_id: ID }, d: TEXT },
    { a: { __prefect_kind: 'json', value: '{"a":1}' }, b: { __prefect_kind: 'jinja', template: 'x' } },
    null,
  ])('twin: %j reads none', (tree) => {
    expect(namedBlockAsks(tree)).toEqual([]);
  });

  it('once more, of what a variable holds', () => {
    expect(named(storedBlockAsks(TEXT))).toEqual(THIS);
    expect(named(storedBlockAsks({ a: [{ $ref: ID }] }))).toEqual(THIS);
    expect(named(storedBlockAsks('about $ref'))).toEqual(ANY);
    for (const value of ['plain', 'C:\\users\\x', 7, '{"$ref":"#/x"}']) expect(storedBlockAsks(value)).toEqual([]);
  });

  it('is none if the deployment has the same own block, unless a value is filled in', () => {
    const own = { a: { $ref: ID }, b: 1, c: { __prefect_kind: 'json', value: TEXT } };
    expect(newBlockAsks(own, { a: { $ref: ID }, b: 2 })).toEqual([]);
    expect(named(newBlockAsks(own, { b: { $ref: ID } }))).toEqual(THIS);
    expect(named(newBlockAsks(own, { a: { $ref: { block_document_id: ID } } }))).toEqual(THIS);
    expect(named(newBlockAsks(own, { __proto__: null, toString: { $ref: ID } }))).toEqual(THIS);
    expect(named(newBlockAsks(own, { c: own.c }))).toEqual(THIS);
    expect(named(newBlockAsks({ ...own, __prefect_kind: 'none' }, { a: { $ref: ID } }))).toEqual(THIS);
    expect(named(newBlockAsks(undefined, { a: { $ref: ID } }))).toEqual(THIS);
  });
});

const FLOW = '33333333-3333-4333-8333-333333333333';
const parameters = { token: { $ref: { block_document_id: ID } } };
const run = `POST /api/deployments/${DEPLOYMENT}/create_flow_run`;
const action = { type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT, job_variables: null };
const trigger = { type: 'event', expect: ['x'], posture: 'Reactive', threshold: 1, within: 0 };
const automation = (given: unknown) => ({ name: 'a', enabled: true, trigger, actions: [{ ...action, parameters: given }] });

/** Each with the body that gives these parameters. */
const WAYS: readonly (readonly [route: string, body: (given: unknown) => unknown])[] = [
  [run, (given) => ({ parameters: given })],
  [`${run}/bulk`, (given) => [{}, { parameters: given }]],
  ['POST /api/flow_runs/', (given) => ({ flow_id: FLOW, parameters: given })],
  ['POST /api/flow_runs/', (given) => ({ flow_id: FLOW, deployment_id: DEPLOYMENT, parameters: given })],
  [`PATCH /api/flow_runs/${RUN}`, (given) => ({ parameters: given })],
  ['POST /api/deployments/', (given) => ({ name: 'd', flow_id: FLOW, parameters: given })],
  ['POST /api/deployments/', (given) => ({ name: 'd', flow_id: FLOW, schedules: [{ schedule: { interval: 60 }, parameters: given }] })],
  [`PATCH /api/deployments/${DEPLOYMENT}`, (given) => ({ parameters: given })],
  [`POST /api/deployments/${DEPLOYMENT}/schedules`, (given) => [{ schedule: { interval: 60 }, parameters: given }]],
  [`PATCH /api/deployments/${DEPLOYMENT}/schedules/${RUN}`, (given) => ({ parameters: given })],
  ['POST /api/automations/', automation],
  ['POST /api/variables/', (given) => ({ name: 'v', value: given })],
  ['POST /api/variables/', (given) => ({ name: 'v', value: JSON.stringify(given) })],
  ['POST /api/block_documents/', (given) => ({ name: 'b', block_type_id: RUN, block_schema_id: RUN, data: { value: given } })],
];

describe('the right to read it', () => {
  const block = { [`GET /api/block_documents/${ID}`]: { id: ID, name: 'prod-db' } };
  const answer = { status: 201, body: json({ id: RUN }) };
  const options: Options = { prefect: prefectWith(block, answer), policies: forbid('blocks.read_secrets') };

  it.each(WAYS)('%s needs it', async (route, body) => {
    const forms = [parameters, { token: { $ref: ID } }, { token: { deep: [{ $ref: { block_document_slug: 'secret/prod-db' } }] } }];
    for (const given of forms) {
      const refused = await outcomeOf('deployer', route, body(given), options);
      expect(['policy-forbids', 'automation-exceeds-rights']).toContain(refused.result);
      expect(refused.arrived).toBe(false);
      expect((await outcomeOf('deployer', route, body(given), { prefect: prefectWith(block, answer) })).result).toBe(201);
    }
    for (const given of [{ token: 'x' }, { schema: { $ref: '#/definitions/x' } }]) {
      expect((await outcomeOf('deployer', route, body(given), options)).result).toBe(201);
    }
  });

  it('is none of an operator, who may run an object with its own block, and may repeat that', async () => {
    const own: Options = { prefect: prefectWith({ ...block, [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, parameters } }, answer) };
    for (const route of [run, `${run}/bulk`]) {
      const body = (given: unknown) => (route === run ? { parameters: given } : [{ parameters: given }]);
      expect((await outcomeOf('operator', route, body(parameters), { prefect: prefectWith(block, answer) })).result).toBe('policy-default-deny');
      expect((await outcomeOf('operator', route, body({ ...parameters, n: 1 }), own)).result).toBe(201);
      expect((await outcomeOf('operator', route, body({ other: parameters.token }), own)).result).toBe('policy-default-deny');
      expect((await outcomeOf('operator', route, body({ token: { $ref: { block_document_id: RUN } } }), own)).result).toBe('policy-default-deny');
    }
  });

  it('is not asked for again where a change of the deployment, or an automation of it, repeats what is there', async () => {
    const old = { id: DEPLOYMENT, flow_id: FLOW, name: 'd', parameters };
    const objects = { ...block, [`GET /api/deployments/${DEPLOYMENT}`]: old, 'POST /api/deployments/filter': [old] };
    const there: Options = { ...options, prefect: prefectWith(objects, answer) };
    const more = { ...parameters, n: 1 };
    expect((await outcomeOf('deployer', `PATCH /api/deployments/${DEPLOYMENT}`, { parameters: more }, there)).result).toBe(201);
    expect((await outcomeOf('deployer', 'POST /api/deployments/', { name: 'd', flow_id: FLOW, parameters: more }, there)).result).toBe(201);
    expect((await outcomeOf('deployer', 'POST /api/automations/', automation(more), there)).result).toBe(201);
    const renamed = { other: parameters.token };
    expect((await outcomeOf('deployer', `PATCH /api/deployments/${DEPLOYMENT}`, { parameters: renamed }, there)).result).toBe('policy-forbids');
  });

  it('on a scope, reaches no block of others', async () => {
    const tagged = { [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, tags: ['team-a'] } };
    const scoped: Options = { prefect: prefectWith({ ...block, ...tagged }, answer), scope: { tags: ['team-a'] } };
    expect((await outcomeOf('deployer', run, { parameters }, scoped)).result).toBe('scope-excludes');
    expect((await outcomeOf('deployer', run, { parameters: { token: 'x' } }, scoped)).result).toBe(201);
  });

  it('is no matter of the schema of parameters, where `$ref` names a definition', async () => {
    const schema = { properties: { a: { $ref: '#/definitions/a' } }, definitions: { a: { type: 'string' } } };
    const body = { name: 'd', flow_id: FLOW, parameters: { a: 'x' }, parameter_openapi_schema: schema };
    expect((await outcomeOf('deployer', 'POST /api/deployments/', body, options)).result).toBe(201);
  });
});
