import { expect, it } from 'vitest';
import { setBounded } from './bounded-map.ts';

it('forgets the oldest entry beyond its bound, and none before', () => {
  const map = new Map<string, number>();
  for (const key of ['a', 'b', 'c']) setBounded(map, key, 1, 3);
  setBounded(map, 'a', 2, 3);
  expect([...map]).toEqual([
    ['a', 2],
    ['b', 1],
    ['c', 1],
  ]);
  setBounded(map, 'd', 1, 3);
  expect([...map.keys()]).toEqual(['b', 'c', 'd']);
});
