import { describe, expect, it } from 'vitest';
import { differences, percentile, ratios, spread } from './numbers.ts';

describe('the numbers of several rounds', () => {
  it('are a median and a range', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3]).median).toBe(2.5);
    expect(spread([]).median).toBeNaN();
  });

  it('are compared round by round: a machine that halves its speed between rounds changes no ratio', () => {
    expect(ratios([70, 35], [100, 50])).toEqual({ median: 0.7, min: 0.7, max: 0.7 });
    expect(differences([5, 9], [4, 8])).toEqual({ median: 1, min: 1, max: 1 });
  });

  it('have the nearest rank as percentile', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 99)).toBe(99);
    expect(percentile([7], 99)).toBe(7);
  });
});
