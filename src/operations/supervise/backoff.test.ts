import { expect, it } from 'vitest';
import { createBackoff } from './backoff.ts';

it('doubles from 50 ms to 5 s while children die young', () => {
  const backoff = createBackoff();
  expect(Array.from({ length: 9 }, () => backoff(10))).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

it('starts afresh after a child that lived 30 s, not after one of 29', () => {
  const backoff = createBackoff();
  backoff(0);
  backoff(0);
  expect(backoff(29_000)).toBe(200);
  expect(backoff(30_000)).toBe(50);
  expect(backoff(0)).toBe(100);
});
