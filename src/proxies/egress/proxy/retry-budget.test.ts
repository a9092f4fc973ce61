import { describe, expect, it } from 'vitest';
import { createRetryBudget } from './retry-budget.ts';

function setting(share: number | null) {
  const state = { nowMs: 1_000_000 };
  const budget = createRetryBudget(share, () => state.nowMs);
  const called = (times: number): void => {
    for (let count = 0; count < times; count += 1) budget.count();
  };
  const taken = (): number => {
    let count = 0;
    while (count < 1_000 && budget.take()) count += 1;
    return count;
  };
  return { state, budget, called, taken };
}

describe('the budget of repeats', () => {
  it('is the share of the calls that were made', () => {
    const { called, taken } = setting(0.1);
    expect(taken()).toBe(0);
    called(9);
    expect(taken()).toBe(0);
    called(16);
    expect(taken()).toBe(2);
    called(5);
    expect([taken(), taken()]).toEqual([1, 0]);
  });

  it('ends a minute after its calls, so that a quiet day saves nothing up', () => {
    const { state, called, taken } = setting(0.1);
    called(1_000);
    state.nowMs += 60_000;
    expect(taken()).toBe(0);
    called(10);
    state.nowMs += 59_000;
    called(10);
    expect(taken()).toBe(2);
  });

  it('bounds nothing where there is none', () => {
    expect(setting(null).taken()).toBe(1_000);
  });
});
