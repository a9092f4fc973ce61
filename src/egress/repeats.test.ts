import { describe, expect, it } from 'vitest';
import { bareService } from '../config/service.fixture.ts';
import { createRepeats } from './repeats.ts';

function setting() {
  const state = { nowMs: 1_000_000 };
  const services = [
    bareService('billing', [], { retries: { attempts: 2, budget: 0.1 } }),
    bareService('vault', [], { retries: { attempts: 2, budget: 0.5 } }),
    bareService('plain', [], { retries: { attempts: 2, budget: null } }),
  ];
  const repeats = createRepeats({ services }, () => state.nowMs);
  const taken = (service: string): number => {
    let count = 0;
    while (repeats.take(service)) count += 1;
    return count;
  };
  return { state, repeats, taken };
}

describe('the budget of repeats', () => {
  it('is the share of the calls that were made, of each service by itself', () => {
    const { repeats, taken } = setting();
    expect([taken('billing'), taken('vault')]).toEqual([0, 0]);
    repeats.counted('billing', 9);
    expect(taken('billing')).toBe(0);
    repeats.counted('billing', 16);
    expect([taken('billing'), taken('vault')]).toEqual([2, 0]);
    repeats.counted('billing', 5);
    expect([taken('billing'), taken('billing')]).toEqual([1, 0]);
    repeats.counted('vault', 4);
    expect(taken('vault')).toBe(2);
  });

  it('ends a minute after its calls, so that a quiet day saves nothing up', () => {
    const { state, repeats, taken } = setting();
    repeats.counted('billing', 1_000);
    state.nowMs += 60_000;
    expect(taken('billing')).toBe(0);
    repeats.counted('billing', 10);
    state.nowMs += 59_000;
    repeats.counted('billing', 10);
    expect(taken('billing')).toBe(2);
  });

  it('is none where there is none, or no such service', () => {
    const { repeats, taken } = setting();
    repeats.counted('plain', 100);
    repeats.counted('nobody', 100);
    expect([taken('plain'), taken('nobody')]).toEqual([0, 0]);
  });
});
