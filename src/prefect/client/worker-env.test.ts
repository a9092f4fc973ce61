import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { workerEnvProblem, workerEnvProblemOf } from './worker-env.ts';

const READS = '{{ $VAULT_PASSWORD }}';
const template = (job: JsonValue, properties: JsonValue = {}) => ({ job_configuration: job, variables: { type: 'object', properties } });

describe("the worker's own environment in job variables", () => {
  it.each<JsonValue>([
    { name: `x-${READS}` },
    { env: { A: READS } },
    { env: { A: '{{$X}}' } },
    { env: { A: '{{\t\n$$X }}' } },
    { env: { A: '{{\u0085\u001c$X}}' } },
    { env: [{ name: 'A', value: READS }] },
    { 'env.A': READS },
    { volumes: [{ deep: [READS] }] },
    { [READS]: 'x' },
    READS,
  ])('is refused in %j', (variables) => {
    expect(workerEnvProblem(variables, 'job_variables')).toMatch(/^\{\{ \$\.\.\. \}\} in job_variables/);
  });

  it.each<JsonValue>([{ 'ctx.flow.name': '{{ prefect.variables.x }}' }, { ctx: { flow: { name: '{{' } } }, { 'ctx[flow]': 'x' }])(
    'is refused where it stands for what a worker has of the run: %j',
    (variables) => {
      expect(workerEnvProblem(variables, 'job_variables')).toBe('ctx in job_variables: a worker has it of the run.');
    },
  );

  it.each<JsonValue>([
    { name: '{{ prefect.variables.v }}' },
    { name: '{{{ prefect.variables.brace }}$X }}' },
    { name: '{{prefect.blocks.secret.k}}' },
    { name: 'a{{' },
    { name: 'a{' },
    { name: ' $X }}x{{ ' },
    { name: '{{ other }}' },
    { name: '{{{{ ctx.x }}ctx.x}}' },
    { 'name.a': '{{ prefect.variables.v }}' },
    { 'name[a].b': 'a{{' },
    { name: { a: '{{ prefect.variables.v }}' } },
  ])('is refused where the name is made of what may hold it: %j', (variables) => {
    expect(workerEnvProblem(variables, 'job_variables')).toMatch(/^name in job_variables/);
  });

  it.each<JsonValue>([
    { name: '{{ ctx.flow.name }}-{{ ctx.flow_run.tags[0] }}', command: 'echo $HOME ${HOME} {{ x }}', image: '{{ prefect.variables.image }}' },
    { env: { A: '{ { $X }}', B: '$X', C: '{{ prefect.blocks.secret.k }}', D: '{{ x$ }}', PRICE: '{$5}' } },
    { cost: 1, none: null, list: [true] },
    null,
    undefined as unknown as JsonValue,
  ])('twin: is not in %j', (variables) => {
    expect(workerEnvProblem(variables, 'job_variables')).toBeUndefined();
  });
});

describe("the worker's own environment in a pool's template", () => {
  it.each<JsonValue>([
    template({ command: READS }),
    template({ env: { A: READS } }),
    template({ job_manifest: { spec: { containers: [{ args: [READS] }] } } }),
    template({}, { env: { default: { A: READS } } }),
    template({}, { name: { default: READS } }),
    // Made where the name is filled in again.
    template({ name: '{{ prefect.variables.v }}' }),
    template({ name: '{{ other }}' }),
    template({ name: '{{{ name }}' }),
    template({ name: '{{ a }}{{ b }}' }),
    template({ name: '{{ name }} $X }}' }),
    template({ name: '{{ name }}{{ name }}' }),
    template({ name: '{{{{ name }}ctx.x}}' }),
    template({ name: '{{ ctx.{{ name }}x }}' }),
    template({}, { name: { default: 'a{{' } }),
    template({}, { 'ctx.flow.name': { default: 'x' } }),
    template({}, { name: { default: '{{ prefect.blocks.secret.k }}' } }),
  ])('is refused in %j', (given) => {
    expect(workerEnvProblemOf(given, 'base_job_template')).toBeDefined();
  });

  it.each<JsonValue>([
    template({ name: '{{ name }}', env: '{{ env }}', command: '{{ command }}' }, { name: { title: 'Name', default: '{{ ctx.flow.name }}' } }),
    template({ name: 'etl-{{name}}-{{ ctx.flow_run.name }}' }, { env: { default: { A: 'x' } } }),
    template({ name: null, image: '{{ prefect.variables.image }}' }),
    'no template',
    {},
  ])('twin: is not in %j', (given) => {
    expect(workerEnvProblemOf(given, 'base_job_template')).toBeUndefined();
  });
});
