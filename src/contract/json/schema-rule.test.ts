// The check of values by a JSON Schema.
import { describe, expect, it } from 'vitest';
import { compileSchemaRule } from './schema-rule.ts';

const RULE = { type: 'object', properties: { region: { enum: ['eu', 'us'] }, day: { type: 'string', format: 'date' } }, additionalProperties: false };

function problemOf(schema: Readonly<Record<string, unknown>>, value: unknown): string | undefined {
  const compiled = compileSchemaRule(schema);
  if (!compiled.ok) throw new Error(compiled.problem);
  return compiled.problemOf(value);
}

describe('a rule', () => {
  it.each([{}, { region: 'eu' }, { region: 'us', day: '2026-01-31' }])('permits %j', (value) => {
    expect(problemOf(RULE, value)).toBeUndefined();
  });

  it.each([
    [{ region: 'SECRET' }, 'parameters/region must be equal to one of the allowed values'],
    [{ day: 'SECRET' }, 'parameters/day must match format "date"'],
    [{ more: 'SECRET' }, 'parameters must NOT have additional properties: more'],
    [['SECRET'], 'parameters must be object'],
    [null, 'parameters must be object'],
  ])('refuses %j, without its value', (value, problem) => {
    expect(problemOf(RULE, value)).toBe(problem);
  });

  it.each([
    ['2026-01', true],
    ['x2026-01', false],
    ['2026-01\n', false],
  ])('compares %j with a pattern as JavaScript does: %s', (month, fits) => {
    expect(problemOf({ properties: { month: { pattern: '^\\d{4}-\\d{2}$' } } }, { month }) === undefined).toBe(fits);
    expect(problemOf({ patternProperties: { '^\\d{4}-\\d{2}$': {} }, additionalProperties: false }, { [month]: 1 }) === undefined).toBe(fits);
  });

  it.each(['^(\\w+\\s?)*$', '^(a|a)*$'])('with the pattern %s ends for every value: a backtracking engine would not', (pattern) => {
    expect(problemOf({ pattern }, `${'a'.repeat(1_000)}!`)).toContain('must match pattern');
    expect(problemOf({ pattern }, 'a'.repeat(1_000))).toBeUndefined();
  });

  it('takes no property from a prototype', () => {
    expect(problemOf({ type: 'object', required: ['toString'] }, {})).toContain('toString');
  });
});

describe('a schema', () => {
  it.each([
    [{ tipe: 'object' }],
    [{ type: 'objekt' }],
    [{ type: 'string', format: 'daate' }],
    [{ minLength: -1 }],
    [{ pattern: '(' }],
    [{ pattern: '(?=a)a' }],
    [{ patternProperties: { '(a)\\1': {} } }],
    [{ $ref: 'https://schemas.example/x' }],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }],
    [{ $async: true, type: 'object' }],
  ])('is refused: %j', (schema) => {
    expect(compileSchemaRule(schema)).toMatchObject({ ok: false });
  });

  it('may have the $id of another one', () => {
    const [one, other] = ['string', 'number'].map((type) => ({ $id: 'https://schemas.example/x', type }));
    expect([problemOf({ ...one }, 1), problemOf({ ...other }, 1)]).toEqual(['parameters must be string', undefined]);
  });
});
