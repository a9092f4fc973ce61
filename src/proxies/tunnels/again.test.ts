import { expect, it } from 'vitest';
import { countOf, eachAgain, expiredAt } from './again.ts';

const tunnel = (id: string, expiresAtMs: number | null = null) => ({ authorization: { principal: { id }, credential: { expiresAtMs } } });

it('counts those of one principal', () => {
  expect(countOf([tunnel('a'), tunnel('b'), tunnel('a')], 'a')).toBe(2);
  expect(countOf([], 'a')).toBe(0);
});

it('finds those whose credential is over, and no other', () => {
  const [over, now, later, never] = [tunnel('a', 9), tunnel('b', 10), tunnel('c', 11), tunnel('d')];
  expect(expiredAt([over, now, later, never], 10)).toEqual([over, now]);
});

it('decides each again, some at once, also where the set grows smaller meanwhile', async () => {
  const all = new Set(Array.from({ length: 120 }, (_, index) => index));
  const decided: number[] = [];
  await eachAgain(all, async (one) => {
    all.delete(one);
    decided.push(one);
  });
  expect(decided).toEqual(Array.from({ length: 120 }, (_, index) => index));
});
