import { describe, expect, it } from 'vitest';
import { byLastUse, countUses, isOfUse, type TokenFacts, useOf } from './token-use.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');

function token(name: string, more: Partial<TokenFacts> = {}): TokenFacts {
  return { name, roles: ['worker'], state: 'live', created_at: '2026-01-01T00:00:00.000Z', expires_at: null, last_used_at: null, ...more };
}

const TOKENS = [
  token('fresh', { last_used_at: '2026-05-31T00:00:00.000Z' }),
  token('never'),
  token('idle', { last_used_at: '2026-03-01T00:00:00.000Z' }),
  token('ending', { last_used_at: '2026-05-30T00:00:00.000Z', expires_at: '2026-06-10T00:00:00.000Z' }),
  token('over', { state: 'expired', expires_at: '2026-05-01T00:00:00.000Z' }),
];

const named = (use: Parameters<typeof isOfUse>[1]) => TOKENS.filter((each) => isOfUse(each, use, NOW)).map(({ name }) => name);

describe('the use of tokens', () => {
  it('has a filter for each question; one that has expired is in its own alone', () => {
    expect([named('never'), named('idle'), named('ending'), named('expired')]).toEqual([['never'], ['idle'], ['ending'], ['over']]);
    expect(countUses(TOKENS, NOW)).toEqual({ any: 5, never: 1, idle: 1, ending: 1, expired: 1 });
  });

  it('is in order: never used first, then the longest unused', () => {
    expect(TOKENS.toSorted(byLastUse).map(({ name }) => name)).toEqual(['never', 'over', 'idle', 'ending', 'fresh']);
  });

  it('is any use for an address with another word', () => {
    expect([useOf('never'), useOf('constructor'), useOf('')]).toEqual(['never', 'any', 'any']);
  });
});
