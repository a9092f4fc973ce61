import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '../../../test/env/cpu-time.ts';
import { parseStrict, renderStrict } from './strict-json.ts';
import { isObject, withoutKeys } from './tree.ts';

function problem(body: Buffer | string): string {
  const result = parseStrict(Buffer.from(body as string));
  return result.ok ? 'accepted' : result.detail;
}

function rendered(body: string): string {
  const result = parseStrict(Buffer.from(body));
  return result.ok ? renderStrict(result.tree).toString() : result.detail;
}

describe('parseStrict', () => {
  it('gives back any JSON as it was', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), (text) => {
        const compact = JSON.stringify(JSON.parse(text));
        expect(rendered(compact)).toBe(compact);
        expect(JSON.parse(rendered(JSON.stringify(JSON.parse(text), null, 2)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps the text of every number', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(), (big, fraction) => {
        const body = `{"a":[${big},${big % 1000n}.${fraction}0,-0,1.0,1e2,1E+2,0.0]}`;
        expect(rendered(body)).toBe(body);
      }),
    );
    for (const number of ['12345678901234567890', '1.0', '1e2', '-0', '-0.0', '123456789012345678901234567890.5'])
      expect(rendered(`[${number}]`)).toBe(`[${number}]`);
  });

  it('refuses every duplicate key, at any depth and however it is escaped', () => {
    const wrap = fc.constantFrom<(inner: string) => string>(
      (inner) => inner,
      (inner) => `[1,${inner}]`,
      (inner) => `{"outer":{"deep":[${inner}]}}`,
      (inner) => `{"text":"a \\"key\\": {","x":${inner}}`,
    );
    fc.assert(
      fc.property(fc.string(), fc.json({ maxDepth: 3 }), fc.boolean(), wrap, (key, between, isEscaped, around) => {
        const again = isEscaped ? escapeAll(key) : JSON.stringify(key);
        expect(problem(around(`{${JSON.stringify(key)} : 1, "other-than-${key.length}": ${between}, ${again}\t:2}`))).toMatch(/twice/);
      }),
    );
  });

  it('accepts the same key in different objects, and as a value', () => {
    expect(rendered('[{"a":1},{"a":{"a":"a"}},"a","a"]')).toBe('[{"a":1},{"a":{"a":"a"}},"a","a"]');
  });

  it('refuses what is not UTF-8 without BOM', () => {
    expect(problem(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))).toMatch(/byte order mark/);
    expect(problem(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toMatch(/UTF-8/);
    expect(problem(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatch(/UTF-8/);
    expect(problem(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toMatch(/UTF-8/);
    expect(problem(Buffer.from('{"a":1}', 'utf16le'))).toMatch(/not JSON/);
    expect(problem(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":1}', 'utf16le')]))).toMatch(/UTF-8/);
  });

  it('refuses half a surrogate pair in values and keys at any depth, and takes whole ones', () => {
    for (const half of ['\\ud800', 'a\\uDFFF', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00', '\\ud83d\\\\ude00']) {
      for (const body of [`"${half}"`, `{"a":[{"b":"${half}"}]}`, `{"${half}":1}`])
        expect([body, problem(body)]).toEqual([body, expect.stringMatching(/Unicode/)]);
    }
    for (const body of ['{"\\ud83d\\ude00":"\\uD83D\\uDE00 é"}', '["\\\\ud800","\\ud7ff\\ue000"]']) expect([body, problem(body)]).toEqual([body, 'accepted']);
  });

  it('refuses numbers that a double cannot hold, and what is no number', () => {
    for (const number of ['1e400', '-1e400', '9'.repeat(400)]) expect(problem(`{"a":${number}}`)).toMatch(/out of range/);
    for (const word of ['NaN', 'Infinity', '-Infinity', '01', '+1', '.5', '1.', '0x10', '1_000']) expect(problem(`[${word}]`)).toMatch(/not JSON/);
  });

  it('takes 64 levels and refuses the 65th, before it parses', async () => {
    expect(problem(`${'['.repeat(64)}${']'.repeat(64)}`)).toBe('accepted');
    expect(problem(`${'[{"a":'.repeat(33)}1${'}]'.repeat(33)}`)).toMatch(/deeper than 64/);
    const tookMs = await cpuMsOf(() => expect(problem(Buffer.alloc(5_000_000, '['))).toMatch(/deeper than 64/));
    expect(tookMs).toBeLessThan(1000);
  });

  it('takes as many values and keys as its bound says, and refuses one more as too complex', () => {
    const readAt = (text: string, mostNodes: number) => {
      const result = parseStrict(Buffer.from(text), { mostNodes });
      return result.ok || result.code;
    };
    // A list, a text, an object, its key twice and its value.
    for (const text of ['["a,b:[{",{"k":1}]', '[ "\\\\",\n{ "k" : [ ] } ]']) expect([readAt(text, 7), readAt(text, 5)]).toEqual([true, 'body-too-complex']);
    expect(readAt(`[${'0,'.repeat(299_998)}0]`, 300_000)).toBe(true);
    expect(problem(`[${'0,'.repeat(300_000)}0]`)).toMatch(/more than 300000 values/);
    expect(problem(`{${Array.from({ length: 100_001 }, (_, at) => `"k${at}":0`).join(',')}}`)).toMatch(/more than 300000 values/);
    // A number whose text stays is two, another one is one. As many of either as Prefect takes as parameters (512 KiB) are below the bound.
    for (const [number, most] of [
      ['1.0', 149_998],
      ['1.5', 299_998],
    ] as const)
      expect([readAt(`[${`${number},`.repeat(most)}${number}]`, 300_000), readAt(`[${`${number},`.repeat(most + 2)}${number}]`, 300_000)]).toEqual([
        true,
        'body-too-complex',
      ]);
  });

  it('keeps keys in their order, those too that JavaScript sorts', () => {
    const key = fc.oneof(fc.nat(20).map(String), fc.constantFrom('a', '__proto__', '01', '-1', '1.5', '4294967294', '4294967295', '9007199254740993', ''));
    const object = (value: fc.Arbitrary<string>) =>
      fc
        .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name })
        .map((members) => `{${members.map(([name, text]) => `"${name}":${text}`).join(',')}}`);
    const leaf = fc.constantFrom('1', '1.0', '"\\"1\\":"', 'null', '12345678901234567890');
    const inner = object(fc.oneof(leaf, object(leaf)));
    fc.assert(
      fc.property(fc.array(inner, { maxLength: 3 }), (objects) => {
        const body = `[${objects.join(',')}]`;
        expect(rendered(body)).toBe(body);
      }),
    );
    expect(rendered('{ "1": 1.0, "0": { "b": 1, "7": 2 } }')).toBe('{"1":1.0,"0":{"b":1,"7":2}}');
  });

  it('keeps that order in a copy with other keys, and without some', () => {
    const result = parseStrict(Buffer.from('{"2":1,"b":2,"1":3}'));
    const tree = result.ok && isObject(result.tree) ? result.tree : {};
    expect(renderStrict({ ...tree, 0: 4, b: 5 }).toString()).toBe('{"2":1,"b":5,"1":3,"0":4}');
    expect(renderStrict(withoutKeys(tree, (key) => key === 'b')).toString()).toBe('{"2":1,"1":3}');
  });

  it('keeps __proto__ as a key like any other', () => {
    const body = '{"__proto__":{"polluted":1.0},"constructor":{"prototype":{}}}';
    expect(rendered(body)).toBe(body);
    expect(rendered('{"__proto__":1}')).toBe('{"__proto__":1}');
    expect(Object.hasOwn({}, 'polluted') || 'polluted' in {}).toBe(false);
  });

  it('refuses what is not one JSON value', () => {
    for (const body of ['{', '{}{}', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '"\\x"', '// x\n1', '"\n"', '"unended', '"\\'])
      expect(problem(body)).toMatch(/not JSON/);
  });

  it('quotes nothing of the body in what it says', () => {
    const words = fc.stringMatching(/^[a-z0-9]{12,20}$/);
    fc.assert(
      fc.property(words, (secret) => {
        expect(problem(`{"x": "${secret}"`)).not.toContain(secret);
      }),
    );
  });
});

function escapeAll(key: string): string {
  return `"${key
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')}"`;
}
