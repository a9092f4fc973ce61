import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../contract/json/tree.ts';
import { conjoin } from './conjoin.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const OTHER = '99999999-2222-4333-8444-555555555555';

function joined(client: JsonValue | undefined, criteria: Parameters<typeof conjoin>[1]): JsonObject | string {
  const result = conjoin(client, criteria);
  return result.ok ? result.filter : result.detail;
}

describe('a filter joined with a scope', () => {
  it('is the scope alone where the client asks for everything', () => {
    for (const client of [undefined, null, {}, { operator: 'or_' }, { tags: null }]) {
      expect(joined(client, { tags: ['team-a'] })).toEqual({ tags: { any_: ['team-a'] } });
    }
  });

  it('keeps what the client asks for of other fields, joined by and', () => {
    const client = { operator: 'and_', state: { operator: 'or_', type: { any_: ['FAILED'] }, name: { any_: ['Late'] } }, name: { like_: 'x' } };
    expect(joined(client, { tags: ['team-a'] })).toEqual({ state: client.state, name: { like_: 'x' }, tags: { any_: ['team-a'] } });
  });

  it('refuses or_ over several criteria, and takes it for and_ over one', () => {
    expect(joined({ operator: 'or_', name: { any_: ['x'] } }, { tags: ['a'] })).toEqual({ name: { any_: ['x'] }, tags: { any_: ['a'] } });
    expect(joined({ operator: 'or_', name: { any_: ['x'] }, id: { any_: [ID] } }, { tags: ['a'] })).toMatch(/or_/);
    expect(joined({ operator: 'xor', name: {}, id: {} }, { tags: ['a'] })).toMatch(/or_/);
  });

  it('leaves of two lists of values what is in both, whatever the spelling of an id', () => {
    expect(joined({ id: { any_: [ID.toUpperCase(), OTHER.replaceAll('-', '')] } }, { id: [ID] })).toEqual({ id: { any_: [ID] } });
    expect(joined({ name: { any_: ['pool-b'] } }, { name: ['pool-a'] })).toEqual({ name: { any_: [] } });
    expect(joined({ name: { any_: [], like_: 'pool' } }, { name: ['pool-a'] })).toEqual({ name: { any_: [], like_: 'pool' } });
    expect(joined({ id: { not_any_: [ID] } }, { id: [ID] })).toEqual({ id: { not_any_: [ID], any_: [ID] } });
    expect(joined({ deployment_id: { operator: 'or_', is_null_: true, any_: [ID] } }, { deployment_id: [ID] })).toMatch(/or_/);
  });

  it('never replaces the any_ of tags', () => {
    expect(joined({ tags: { any_: ['x', 'y'] } }, { tags: ['a'] })).toEqual({ tags: { any_: ['x', 'y'], all_: ['a'] } });
    expect(joined({ tags: { any_: ['x'], all_: ['z'] } }, { tags: ['a'] })).toEqual({ tags: { any_: ['x'], all_: ['z', 'a'] } });
    expect(joined({ tags: { any_: ['a'] } }, { tags: ['a', 'b'] })).toEqual({ tags: { any_: ['a'] } });
    expect(joined({ tags: { any_: ['x'], all_: ['b'] } }, { tags: ['a', 'b'] })).toEqual({ tags: { any_: ['x'], all_: ['b'] } });
    expect(joined({ tags: { any_: ['x'] } }, { tags: ['a', 'b'] })).toMatch(/tags.any_/);
    expect(joined({ tags: { all_: ['x'] } }, { tags: ['a', 'b'] })).toEqual({ tags: { all_: ['x'], any_: ['a', 'b'] } });
    expect(joined({ tags: { operator: 'or_', all_: ['x'], is_null_: true } }, { tags: ['a'] })).toMatch(/or_/);
  });

  it.each([[[]], ['x'], [{ tags: ['a'] }], [{ tags: { any_: 'a' } }], [{ tags: { any_: [1] } }], [{ tags: { any_: ['x'], all_: 'a' } }], [{ tags: 'a' }]])(
    'refuses what it cannot read: %j',
    (client) => {
      expect(typeof joined(client, { tags: ['a'] })).toBe('string');
    },
  );

  it('never shows more than the scope: every object that passes the join is in the scope and in what the client asked for', () => {
    const tags = fc.subarray(['a', 'b', 'c', 'x']);
    const criterion = fc.record({ any_: tags, all_: tags, is_null_: fc.boolean(), operator: fc.constantFrom('and_', 'or_') }, { requiredKeys: [] });
    const names = fc.subarray(['p', 'q', 'r']);
    const filter = fc.record(
      { tags: criterion, name: fc.record({ any_: names }, { requiredKeys: [] }), operator: fc.constantFrom('and_', 'or_') },
      { requiredKeys: [] },
    );
    const item = fc.record({ tags, name: fc.constantFrom('p', 'q', 'r') });
    fc.assert(
      fc.property(filter, fc.subarray(['a', 'b'], { minLength: 1 }), fc.array(item, { minLength: 8, maxLength: 8 }), (client, scope, items) => {
        const result = conjoin(client, { tags: scope, name: ['p', 'q'] });
        if (!result.ok) return;
        for (const each of items) {
          const isIn = each.tags.some((tag) => scope.includes(tag)) && each.name !== 'r';
          expect(passes(result.filter, each)).toBe(isIn && passes(client, each));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

interface Item {
  readonly tags: readonly string[];
  readonly name: string;
}

/** As Prefect 3.9.1 evaluates it: empty `all_` is no test, an empty filter lets everything through. */
function passes(filter: object, item: Item): boolean {
  const { tags, name, operator } = filter as { tags?: Tests; name?: Tests; operator?: string };
  const criteria = [
    ...(tags === undefined ? [] : [passesTags(tags, item)]),
    ...(name?.any_ === undefined ? (name === undefined ? [] : [true]) : [name.any_.includes(item.name)]),
  ];
  return combine(operator, criteria);
}

interface Tests {
  readonly any_?: readonly string[];
  readonly all_?: readonly string[];
  readonly is_null_?: boolean;
  readonly operator?: string;
}

function passesTags({ any_, all_, is_null_, operator }: Tests, { tags }: Item): boolean {
  return combine(operator, [
    ...(all_ === undefined || all_.length === 0 ? [] : [all_.every((tag) => tags.includes(tag))]),
    ...(any_ === undefined ? [] : [any_.some((tag) => tags.includes(tag))]),
    ...(is_null_ === undefined ? [] : [(tags.length === 0) === is_null_]),
  ]);
}

function combine(operator: string | undefined, results: readonly boolean[]): boolean {
  if (results.length === 0) return true;
  return operator === 'or_' ? results.some(Boolean) : results.every(Boolean);
}
