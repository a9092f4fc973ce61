// The share of memory in use, by whatever ends first.
import { expect, it } from 'vitest';
import { createMemoryUse } from './memory-use.ts';

const MIB = 1024 * 1024;

it.each([
  ['the heap', { heapUsed: 90 * MIB, heapLimit: 100 * MIB, resident: 100 * MIB }, 0.9],
  ['the memory of the container, of which other processes need a fifth', { heapUsed: 0, heapLimit: 100 * MIB, resident: 400 * MIB }, 1],
  ['neither', { heapUsed: 10 * MIB, heapLimit: 100 * MIB, resident: 40 * MIB }, 0.1],
])('is that of %s', (_name, facts, share) =>
  expect(
    createMemoryUse(
      500 * MIB,
      () => 0,
      () => facts,
    )(),
  ).toBeCloseTo(share),
);

it('is read again after a moment, and not at each request', () => {
  let nowMs = 0;
  let reads = 0;
  const read = () => {
    reads += 1;
    return { heapUsed: reads, heapLimit: 100, resident: 0 };
  };
  const use = createMemoryUse(1, () => nowMs, read);
  expect([use(), use()]).toEqual([0.01, 0.01]);
  nowMs = 250;
  expect(use()).toBe(0.02);
});

it('is far from its end in this process', () => expect(createMemoryUse(2 ** 40, () => 0)()).toBeLessThan(0.9));
