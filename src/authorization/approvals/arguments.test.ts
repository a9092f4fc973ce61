// What an approval is bound to, and what people see of it.
import { describe, expect, it } from 'vitest';
import { parseStrict } from '../../contract/json/strict-json.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import { secretCases } from '../../contract/untrusted/secrets.fixture.ts';
import { argumentsOf, hashOf, shownArguments } from './arguments.ts';

const LONG = 'k'.repeat(9500);
const redactor = await openRedactor({ known: ['configured-secret', LONG] });
const NOW = 1_700_000_000_000;

function asked(tree?: JsonValue, args = '', params = {}): Parameters<typeof shownArguments>[0] {
  // Nothing else of the call is read.
  return { operation: { method: 'POST', operationId: 'set_state' }, inputs: { args }, params, tree } as unknown as Parameters<typeof shownArguments>[0];
}

function stateWith(details: Record<string, JsonValue>, beside: Record<string, JsonValue> = {}): JsonValue {
  return { state: { type: 'SCHEDULED', state_details: details, ...beside } };
}

function hash(tree?: JsonValue, args?: string, params?: object): string | undefined {
  return hashOf(argumentsOf(asked(tree, args, params), NOW));
}

describe('the hash of the arguments', () => {
  it('does not depend on what stock clients write anew into each attempt', () => {
    const at = (ms: number): string => new Date(NOW + ms).toISOString();
    const once = hash(stateWith({ transition_id: 'a', scheduled_time: at(-60_000) }));
    expect(hash(stateWith({ transition_id: 'b', scheduled_time: at(1_000) }))).toBe(once);
    expect(hash(stateWith({ transition_id: 'b', scheduled_time: at(3_600_000) }))).not.toBe(once);
    expect(hash(stateWith({ transition_id: 'b', scheduled_time: 'soon' }))).not.toBe(once);
    expect(hash(stateWith({ scheduled_time: at(0).replace('Z', '+00:00') }))).toBe(once);
    expect(hash(stateWith({ scheduled_time: at(-48 * 3_600_000).replace('Z', '') }))).not.toBe(once);
    expect(hash(stateWith({ pause_key: 'k', scheduled_time: at(0) }))).not.toBe(once);
    expect(hash(stateWith({ scheduled_time: at(0) }, { transition_id: 'b' }))).not.toBe(once);
  });

  it.each<readonly [string, Parameters<typeof hash>]>([
    ['no body', []],
    ['null', [null]],
    ['a value', [{ a: 1 }]],
    ['a text', [{ a: '1' }]],
    ['a nested value', [{ a: { b: 1 } }]],
    ['a query', [{ a: 1 }, 'force=true']],
    ['a path', [{ a: 1 }, '', { id: '1' }]],
  ])('differs for %s', (_what, given) => {
    expect(hash(...given)).not.toBe(hash({ a: 2 }));
    expect(hash(...given)).toBe(hash(...given));
  });

  it('does not exist for a number that readers read differently', () => {
    const parsed = parseStrict(Buffer.from('{"a":9007199254740993}'));
    expect(parsed.ok && hash(parsed.tree)).toBeUndefined();
  });
});

describe('what people see of the arguments', () => {
  const shown = (tree: JsonValue): unknown => JSON.parse(shownArguments(asked(tree), redactor)).body;

  it('has path, query and body', () => {
    expect(JSON.parse(shownArguments(asked({ a: [1, null, 'x'] }, 'q=1', { id: '7' }), redactor))).toEqual({
      id: '7',
      query: 'q=1',
      body: { a: [1, null, 'x'] },
    });
    expect(JSON.parse(shownArguments(asked(), redactor))).toEqual({});
  });

  it('has no value of a key that names a secret, however it is written', () => {
    expect(
      shownArguments(asked({ a: { db_PASSWORD: 'hunter2', 'api-key': { x: 'hunter2' }, Authorization: ['hunter2'], token: null } }), redactor),
    ).not.toContain('hunter2');
    expect(shown({ region: 'eu' })).toEqual({ region: 'eu' });
  });

  it.each(Object.entries(secretCases()))('has no secret in a text: %s', (_what, { text, secret }) => {
    for (const tree of [text, { note: ['see', text] }, `${'x'.repeat(990)} ${text}`]) expect(shownArguments(asked(tree), redactor)).not.toContain(secret);
    expect(shown({ note: text, other: 'done' })).toMatchObject({ note: expect.stringContaining('[redacted: '), other: 'done' });
  });

  it('has no value beside the name of a secret', () => {
    expect(shown({ name: 'DB_PASSWORD', value: 'hunter2' })).toEqual({ name: 'DB_PASSWORD', value: '(a secret, not shown)' });
    expect(shown({ name: 'region', value: 'eu' })).toEqual({ name: 'region', value: 'eu' });
  });

  it('has no start of a secret that was read last', () => {
    expect(shown(`${LONG}${'x'.repeat(490)}configured-secret`)).not.toContain('configured');
  });

  it('has no secret of the configuration, in the query neither, and no part of one at the bound', () => {
    expect(shownArguments(asked('configured-secret', 'q=configured-secret'), redactor)).not.toContain('configured');
    expect(shown(`${'x'.repeat(990)}configured-secret`)).not.toContain('xconf');
  });

  it('has every key, also one that programs treat as another', () => {
    const parsed = parseStrict(Buffer.from('{"__proto__":{"all":true},"a":{"__proto__":"x"}}'));
    expect(parsed.ok && shownArguments(asked(parsed.tree), redactor)).toBe('{"body":{"__proto__":{"all":true},"a":{"__proto__":"x"}}}');
  });

  it('has the value of a number, however long a client writes it', () => {
    const parsed = parseStrict(Buffer.from(`{"a":1.${'0'.repeat(100_000)},"b":-2.50,"c":12345678901234567890}`));
    expect(parsed.ok && shownArguments(asked(parsed.tree), redactor)).toBe('{"body":{"a":1,"b":-2.5,"c":12345678901234567000}}');
  });

  it('counts what it leaves out: long texts, many values, depth', () => {
    expect(shown('x'.repeat(1500))).toMatch(/^x{1000} \(500 more characters, not shown\)$/);
    expect(shown(Array.from({ length: 5000 }, (_, at) => at))).toContain('(3000 more values, not shown)');
    const many = shown(Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`key-number-${at}`, at])));
    expect(many).toMatchObject({ 'key-number-0': 0, '...': expect.stringMatching(/^\(\d+ more values, not shown\)$/) });
    let deep: JsonValue = 'bottom';
    for (let at = 0; at < 60; at += 1) deep = [deep];
    expect(JSON.stringify(shown(deep))).toContain('(nested deeper, not shown)');
    expect(shownArguments(asked({ ['k'.repeat(100_000)]: 1, b: 2 }), redactor).length).toBeLessThan(1000);
  });
});
