import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBodyBudget } from './body-budget.ts';

describe('the budget of large bodies', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const budget = createBodyBudget({ bytesEach: 10, bytesTotal: 15, mostWaiting: 2, waitMs: 1000 });
    /** In the order in which they began; `no` for those that were refused. */
    const began: string[] = [];
    const ends = new Map<string, () => void>();
    const take = (name: string, bytes: number) => {
      void budget.take(name.slice(0, 1), bytes).then((end) => {
        began.push(end === undefined ? `no ${name}` : name);
        if (end !== undefined) ends.set(name, end);
      });
    };
    const settled = () => vi.advanceTimersByTimeAsync(0);
    return { take, began, settled, end: (name: string) => ends.get(name)?.() };
  }

  it('lets bodies of one principal wait in their order, a smaller one too', async () => {
    const { take, began, settled, end } = start();
    for (const [name, bytes] of [
      ['a1', 6],
      ['a2', 6],
      ['a3', 1],
    ] as const)
      take(name, bytes);
    await settled();
    expect(began).toEqual(['a1']);
    end('a1');
    await settled();
    expect(began).toEqual(['a1', 'a2', 'a3']);
  });

  it('never lets another principal wait for those, and gives everything back', async () => {
    const { take, began, settled, end } = start();
    take('a1', 10);
    take('a2', 10);
    take('b1', 5);
    await settled();
    expect(began).toEqual(['a1', 'b1']);
    for (const name of ['a1', 'b1', 'a2']) {
      end(name);
      await settled();
    }
    take('c1', 10);
    take('d1', 5);
    await settled();
    expect(began).toEqual(['a1', 'b1', 'a2', 'c1', 'd1']);
  });

  it('lets no later body overtake one that waits for the total, and takes principals in turn', async () => {
    const { take, began, settled, end } = start();
    take('a1', 10);
    take('b1', 5);
    take('a2', 5);
    take('c1', 10);
    await settled();
    expect(began).toEqual(['a1', 'b1']);
    end('b1');
    take('d1', 1);
    await settled();
    expect(began).toEqual(['a1', 'b1']);
    end('a1');
    await settled();
    expect(began).toEqual(['a1', 'b1', 'a2', 'c1']);
    end('a2');
    await settled();
    expect(began).toEqual(['a1', 'b1', 'a2', 'c1', 'd1']);
  });

  it('refuses who has waited too long, and who comes when too many wait; the others go on', async () => {
    const { take, began, settled, end } = start();
    take('a1', 10);
    for (const name of ['a2', 'a3', 'a4']) take(name, 4);
    await settled();
    expect(began).toEqual(['a1', 'no a4']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(began).toEqual(['a1', 'no a4', 'no a2', 'no a3']);
    take('a5', 4);
    end('a1');
    await settled();
    expect(began.at(-1)).toBe('a5');
  });
});
