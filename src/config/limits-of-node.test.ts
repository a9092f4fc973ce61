// Each node enforces its part of a limit.
import { expect, it } from 'vitest';
import type { Limit } from './config.ts';
import { limitsOfNode } from './limits-of-node.ts';

const LIMITS: readonly Limit[] = [
  { kind: 'everyone', name: '', rate: { perSecond: 200, burst: 401 }, concurrency: null },
  { kind: 'role', name: 'viewer', rate: null, concurrency: 1 },
];

it('divides by the nodes, and rounds up', () => {
  expect(limitsOfNode({ limits: LIMITS }, 3).limits).toEqual([
    { kind: 'everyone', name: '', rate: { perSecond: 67, burst: 134 }, concurrency: null },
    { kind: 'role', name: 'viewer', rate: null, concurrency: 1 },
  ]);
});

it('leaves the limits of the only node as they are', () => {
  expect(limitsOfNode({ limits: LIMITS }, 1).limits).toBe(LIMITS);
});
