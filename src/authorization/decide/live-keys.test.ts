import { describe, expect, it } from 'vitest';
import { createLiveKeys } from './live-keys.ts';

describe('live keys', () => {
  const limits = { perPrincipal: 3, total: 5, lifeMs: 1000 };

  it('admits up to the limit of one principal, and known keys for ever', () => {
    const keys = createLiveKeys(() => 0, limits);
    expect(['a', 'b', 'c', 'd'].map((key) => keys.admit('p', key))).toEqual([true, true, true, false]);
    expect(keys.admit('p', 'a')).toBe(true);
  });
  it('does not let one principal take the place of another', () => {
    const keys = createLiveKeys(() => 0, limits);
    for (const key of ['a', 'b', 'c', 'd']) keys.admit('p', key);
    expect(keys.admit('q', 'e')).toBe(true);
  });
  it('bounds the whole', () => {
    const keys = createLiveKeys(() => 0, limits);
    const admitted = ['p', 'q', 'r'].flatMap((principal) => ['1', '2', '3'].map((key) => keys.admit(principal, principal + key)));
    expect(admitted.filter(Boolean)).toHaveLength(5);
  });
  it('forgets keys that nginx has dropped', () => {
    let now = 0;
    const keys = createLiveKeys(() => now, limits);
    for (const key of ['a', 'b', 'c']) keys.admit('p', key);
    now = 1001;
    expect(keys.admit('p', 'd')).toBe(true);
  });
  it('starts afresh after a sweep', () => {
    const keys = createLiveKeys(() => 0, limits);
    for (const key of ['a', 'b', 'c']) keys.admit('p', key);
    keys.clear();
    expect(keys.admit('p', 'd')).toBe(true);
  });
});
