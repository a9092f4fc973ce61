// A principal and those that it acts for, as text.
import { describe, expect, it } from 'vitest';
import { assertedPerson, byWhom, chainWords } from './chain-words.ts';

describe('a chain', () => {
  it.each([
    [['alice@local'], 'alice@local'],
    [['agent:copilot', 'alice@local'], 'copilot for alice@local'],
    [['run:1', 'agent:copilot', 'alice@local'], 'run:1 for copilot for alice@local'],
    [['agent:x@corp'], 'agent:x@corp'],
  ])('%j reads %j', (chain, words) => {
    expect(chainWords(chain)).toBe(words);
  });

  it('names what is only asserted apart from what is proven', () => {
    expect(byWhom('local:root', [assertedPerson('alice')])).toBe('local:root (asserted: alice)');
    expect(byWhom('agent:copilot', ['alice@local'])).toBe('copilot for alice@local');
  });
});
