import { expect, it } from 'vitest';
import { batched } from './batched.ts';

it('what is asked in one turn is worked on together, and each gets its own answer', async () => {
  const batches: (readonly number[])[] = [];
  const double = batched(async (all: readonly number[]) => {
    batches.push(all);
    return all.map((each) => each * 2);
  });
  expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
  expect(await double(4)).toBe(8);
  expect(batches).toEqual([[1, 2, 3], [4]]);
});

it('a failure reaches each of the turn, and none of a later one', async () => {
  let isAway = true;
  const work = batched(async (all: readonly string[]) => {
    if (isAway) throw new Error('away');
    return all;
  });
  const results = await Promise.allSettled([work('a'), work('b')]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  isAway = false;
  expect(await work('c')).toBe('c');
});
