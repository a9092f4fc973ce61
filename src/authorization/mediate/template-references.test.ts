import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '../../../test/env/cpu-time.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { hydrationAsks, jinjaAsks, overlaidAsks, storedAsks, storedParameterAsks, templateAsks, triggerAsks } from './template-references.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const VARIABLE = JSON.stringify({ __prefect_kind: 'workspace_variable', variable_name: 'v' });
const named = (asks: ReturnType<typeof templateAsks>) => asks.map(({ action, resource }) => `${action} ${resource.id}`);

describe('templates that workers resolve', () => {
  it.each<[JsonValue, string[]]>([
    ['{{ prefect.blocks.secret.key }}', ['blocks.read_secrets key']],
    ['a{{prefect.blocks.aws-credentials.prod.value.x}}b', ['blocks.read_secrets prod']],
    ['{{ prefect.variables.image_tag }}', ['variables.read image_tag']],
    [{ '{{ prefect.variables.v }}': 1 }, ['variables.read v']],
    [['{{ prefect.blocks.secret.k }}', { a: '{{ prefect.blocks.secret.k }}' }], ['blocks.read_secrets k']],
    ['{{ prefect.blocks.{{ x }} }}', ['blocks.read_secrets null']],
    ['{{ prefect.variables.prefect.variables.v }}', ['variables.read v']],
    ['{{ prefect.variables.secprefect.variables.ret }}', ['variables.read secret']],
    ['{{ prefect.variables.prefect.variables. }}', ['variables.read null']],
    ['{{ prefect.blocks.prefect.blocks.secret.key.x }}', ['blocks.read_secrets key']],
    ['{{ prefect.blocks.secret.kprefect.blocks.ey }}', ['blocks.read_secrets key']],
    ['{{ prefect.blocks.prefect.variables.key }}', ['blocks.read_secrets variables']],
    ['{{ prefect.variables.größe }}', ['variables.read größe']],
    [{ $ref: { block_document_id: ID.toUpperCase() } }, [`blocks.read_secrets ${ID}`]],
    [{ $ref: { block_document_id: 1 } }, ['blocks.read_secrets null']],
    [{ $ref: '#/definitions/x' }, []],
    ['{{ flow_run_id }} and {{ $HOME }}', []],
    [null, []],
  ])('%j reads %j', (tree, expected) => {
    expect(named(templateAsks(tree))).toEqual(expected);
  });

  it('more than anybody writes by hand are all of them', () => {
    const many = Array.from({ length: 1000 }, (_, number) => `{{ prefect.variables.v${number} }}{{ prefect.blocks.t.b${number} }}`);
    expect(named(templateAsks(many))).toEqual(['variables.read null', 'blocks.read_secrets null']);
  });
});

describe('what a walk over a large body costs', () => {
  const wide = Array.from({ length: 100_000 }, (_, at) => `value ${at}`);
  const below = (levels: number) => Array.from({ length: levels }).reduce<JsonValue>((inner) => ({ a: inner }), wide);
  const walks = (tree: JsonValue) => [hydrationAsks(tree), templateAsks(tree), triggerAsks(tree), jinjaAsks(tree), storedAsks(tree)];

  it('hangs on how many values it has, and not on how deep they are', async () => {
    for (const tree of [below(1), below(57)]) expect(walks(tree).flat()).toEqual([]);
    const flat = await cpuMsOf(() => walks(below(1)));
    expect(await cpuMsOf(() => walks(below(57)))).toBeLessThan(10 * flat + 100);
  });

  it('more placeholders than are looked at are all that one can name', () => {
    const one = '{{ prefect.variables.a }}';
    expect(named(templateAsks(one.repeat(10_000)))).toEqual(['variables.read a']);
    expect(named(templateAsks([one.repeat(10_001), { $ref: { block_document_id: ID } }]))).toEqual([
      'variables.read a',
      'variables.read null',
      'blocks.read_secrets null',
    ]);
  });

  it('JSON in a text is read up to a bound for the whole body, and could be anything beyond it', () => {
    const kind = (padding: number) => ({ __prefect_kind: 'json', value: `${' '.repeat(padding)}${VARIABLE}` });
    expect(named(hydrationAsks([kind(1000), kind(1000)]))).toEqual(['variables.read v']);
    expect(named(hydrationAsks([kind(300_000), kind(300_000)]))).toEqual(['variables.read v', 'variables.read null']);
  });
});

describe('what the server fills in', () => {
  it.each<[JsonValue, string[]]>([
    [{ a: { __prefect_kind: 'workspace_variable', variable_name: 'v' } }, ['variables.read v']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'workspace_variable', variable_name: { b: 1 } } } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'jinja', template: '{{ variables.x }}' } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'jinja', template: '{{ event.id }}' } }, []],
    [{ a: { __prefect_kind: 'json', value: '1' } }, []],
    [{ a: '{{ variables.x }}' }, []],
    // Prefect fills it in on a write, stores it, and fills it in again for a run.
    [{ a: { __prefect_kind: 'json', value: '{"__prefect_kind":"workspace_variable","variable_name":"v"}' } }, ['variables.read v']],
    [{ a: { __prefect_kind: 'json', value: '[{"\\u005f_prefect_kind":"workspace_variable","variable_name":"v"}]' } }, ['variables.read v']],
    [
      { a: { __prefect_kind: 'json', value: JSON.stringify(JSON.stringify({ __prefect_kind: 'workspace_variable', variable_name: 'v' })) } },
      ['variables.read v'],
    ],
    [{ a: { __prefect_kind: 'json', value: '{"__prefect_kind":"workspace_variable","variable_name":"v","x":NaN}' } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'json', value: '{"__prefect_kind":1,"__prefect_kind":"workspace_variable"}' } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'jinja', template: '{{ event.payload.x }}' } } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'json', value: '{"text":"__prefect_kind and \\u00e9"}' } }, []],
    [{ a: { __prefect_kind: 'json', value: 'NaN' } }, []],
    // `none`, and a kind that Prefect does not know, hand on what is then read as JSON.
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'none', value: VARIABLE } } }, ['variables.read v']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: null, value: VARIABLE } } }, ['variables.read v']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'none', value: { __prefect_kind: 'x', value: VARIABLE } } } }, ['variables.read v']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'none', value: { __prefect_kind: 'jinja', template: 'x' } } } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'json', value: { __prefect_kind: 'none', value: '{"a":1}' } } }, []],
    [{ a: { __prefect_kind: 'json', value: { b: VARIABLE } } }, []],
    // A template that is made where it is filled in.
    [{ a: { __prefect_kind: 'jinja', template: { __prefect_kind: 'json', value: '"{{ vari\\u0061bles.x }}"' } } }, ['variables.read null']],
    [{ a: { __prefect_kind: 'jinja' } }, []],
  ])('%j reads %j', (tree, expected) => {
    expect(named(hydrationAsks(tree))).toEqual(expected);
  });

  it('once more, of what a variable holds', () => {
    const inner = { __prefect_kind: 'workspace_variable', variable_name: 'v' };
    for (const value of [inner, { a: [inner] }, JSON.stringify(inner)]) expect(named(storedAsks(value))).toEqual(['variables.read v']);
    for (const value of ['v', 7, null, { variable_name: 'v' }, '{"a":1}', 'about __prefect_kinds']) {
      const wanted = typeof value === 'string' && value.startsWith('about') ? ['variables.read null'] : [];
      expect([value, named(storedAsks(value))]).toEqual([value, wanted]);
    }
  });

  it('of an automation: one expression gives a value, which may be anything', () => {
    expect(named(triggerAsks({ a: ' {{ event.payload.x }}\n' }))).toEqual(['events.read null', 'variables.read null', 'blocks.read_secrets null']);
    // Python strips more than JavaScript does.
    for (const space of ['\x1c', '\x1f', '\x85']) {
      expect(named(triggerAsks({ a: `${space}{{ event.payload.x }}${space}` }))).toEqual([
        'events.read null',
        'variables.read null',
        'blocks.read_secrets null',
      ]);
    }
    const made = { __prefect_kind: 'jinja', template: { __prefect_kind: 'json', value: '"\\u007b{ event.id }}"' } };
    expect(named(triggerAsks({ a: [made] }))).toEqual(['events.read null', 'variables.read null', 'blocks.read_secrets null']);
    expect(named(triggerAsks({ a: 'run {{ flow_run.id }}' }))).toEqual(['events.read null']);
    expect(named(triggerAsks({ a: 'plain' }))).toEqual([]);
  });

  it('of a run: laid over one kind as a whole, its parameters are the fields of that kind', () => {
    const whole = { __prefect_kind: 'workspace_variable', variable_name: 'harmless' };
    expect(named(overlaidAsks(whole, { variable_name: 'secret' }))).toEqual(['variables.read null', 'blocks.read_secrets null']);
    expect(named(overlaidAsks({ __prefect_kind: 'json' }, { value: '{}' }))).toEqual(['variables.read null', 'blocks.read_secrets null']);
    for (const [own, given] of [
      [whole, { n: 1 }],
      [whole, {}],
      [{ n: whole }, { variable_name: 'secret' }],
      [undefined, { variable_name: 'secret' }],
    ] as const) {
      expect(overlaidAsks(own, given)).toEqual([]);
    }
  });

  it('of a deployment: if the whole is one kind, a principal that runs it may change its fields', () => {
    const whole = { __prefect_kind: 'workspace_variable', variable_name: 'v' };
    expect(named(storedParameterAsks(whole))).toEqual(['variables.read null']);
    expect(named(storedParameterAsks({ n: whole }))).toEqual(['variables.read v']);
    expect(storedParameterAsks({ __prefect_kind: 'json', value: '{"n":1}' })).toEqual([]);
    expect(storedParameterAsks(null)).toEqual([]);
  });

  it('in an automation any text is a template', () => {
    expect(named(jinjaAsks({ a: ['{% for v in variables %}{% endfor %}'] }))).toEqual(['variables.read null']);
    expect(jinjaAsks({ a: 'the variables', b: '{{ flow_run.name }}' })).toEqual([]);
  });
});
