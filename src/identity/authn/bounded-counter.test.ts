import { expect, it } from 'vitest';
import { createBoundedCounter } from './bounded-counter.ts';

it('a subtracted count leaves nothing that evicts another key', () => {
  const counter = createBoundedCounter(() => 0, { windowMs: 1000, keys: 3 });
  counter.add('stays');
  for (let index = 0; index < 10; index += 1) {
    counter.add(`key ${index}`);
    counter.undo(`key ${index}`);
  }
  expect([counter.count('stays'), counter.size]).toEqual([1, 1]);
  counter.add('stays');
  counter.undo('stays');
  expect(counter.count('stays')).toBe(1);
});
