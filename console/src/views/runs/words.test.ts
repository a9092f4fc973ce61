import { describe, expect, it } from 'vitest';
import { chain, offset, span, tickLabel } from './words.ts';

describe('times as text', () => {
  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [2_340, '2.3 s'],
    [59_960, '1 min'],
    [80_000, '1 min 20 s'],
    [11_100_000, '3 h 5 min'],
    [187_200_000, '2 d 4 h'],
  ])('%i ms is %s', (ms, text) => expect(span(ms)).toBe(text));

  it.each([
    [-5, '−0.005 s'],
    [1_234, '+1.234 s'],
    [61_000, '+01:01'],
    [3_661_000, '+1:01:01'],
  ])('%i ms after the start is %s', (ms, text) => expect(offset(ms)).toBe(text));

  it.each([
    [20, '20 ms'],
    [1_500, '1.5 s'],
    [90_000, '1:30'],
    [90_500, '1:30.500'],
    [7_200_000, '2:00 h'],
  ])('the tick of %i ms is %s', (ms, text) => expect(tickLabel(ms)).toBe(text));

  it('a chain names the nearest first', () => {
    expect([chain('agent:helper', ['alice@local']), chain(null, [])]).toEqual(['agent:helper for alice@local', 'nobody known']);
  });
});
