import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from './canonical.ts';
import { parseStrict } from './strict-json.ts';

function textOf(json: string, most?: number): string | undefined {
  const parsed = parseStrict(Buffer.from(json, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.detail);
  return canonicalText(parsed.tree, most);
}

describe('canonical JSON', () => {
  it.each([
    ['{"b": 1, "a": {"d": [], "c": null}}', '{"a":{"c":null,"d":[]},"b":1}'],
    ['"\\u0065\\u0075\\/"', '"eu/"'],
    ['"\\u000a\\u0001é\\ud83d\\ude00"', '"\\n\\u0001é😀"'],
    ['1.0', '1'],
    ['1e0', '1'],
    ['10e-1', '1'],
    ['-0', '0'],
    ['-0.0', '0'],
    ['1e21', '1e+21'],
    ['0.1000000000000000055', '0.1'],
    ['9007199254740991', '9007199254740991'],
  ])('of %s is %s', (json, text) => {
    expect(textOf(json)).toBe(text);
  });

  it('has no text for what readers do not agree on, however deep it stands', () => {
    for (const json of ['9007199254740992', '12345678901234567890', '-9007199254740993', '100000000000000000000000']) {
      expect([json, textOf(json)]).toEqual([json, undefined]);
      expect(textOf(`{"a": [${json}]}`)).toBeUndefined();
    }
    for (const value of ['\ud800', { '\udfff': 1 }, [{ a: ['x\udc00'] }]]) expect(canonicalText(value)).toBeUndefined();
    // The doubles beside them are the same for everybody.
    expect(textOf('9007199254740992.0')).toBe('9007199254740992');
    expect(textOf('1e23')).toBe('1e+23');
  });

  it('ends at a length, and just fits', () => {
    expect(textOf('{"a": "xyz", "b": [1, 2]}', 21)).toBe('{"a":"xyz","b":[1,2]}');
    expect(textOf('{"a": "xyz", "b": [1, 2]}', 20)).toBeUndefined();
    expect(textOf('""', 0)).toBeUndefined();
  });

  it('is what an implementation of RFC 8785 writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = textOf(JSON.stringify(value));
        if (text !== undefined) expect(text).toBe(canonicalize(value));
      }),
      { numRuns: 500, seed: 8785 },
    );
  });
});
