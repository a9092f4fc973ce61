import { afterEach, describe, expect, it, vi } from 'vitest';
import { scanText } from '../../contract/json/scan.ts';
import { BODY_BOUNDS } from '../../contract/json/strict-json.ts';
import { createBodyBudget } from './body-budget.ts';
import { createBodyWork, SMALL_BYTES, type Work } from './body-work.ts';

const scanner = { scan: async (body: Buffer) => scanText(body.toString(), BODY_BOUNDS), close: async () => undefined };

async function begun(work: Promise<Work | string>): Promise<Work> {
  const given = await work;
  if (typeof given === 'string') throw new Error(given);
  return given;
}

describe('work on bodies', () => {
  afterEach(() => void vi.useRealTimers());

  it('small ones neither count nor wait, however much of their principal is in work', async () => {
    const budget = createBodyBudget({ bytesEach: SMALL_BYTES + 1, bytesTotal: SMALL_BYTES + 1, mostWaiting: 0, waitMs: 0 });
    const bodies = createBodyWork({ steady: () => 0, scanner, budget });
    const large = await begun(bodies.begin('a', SMALL_BYTES + 1));
    expect(await bodies.begin('a', SMALL_BYTES + 1)).toBe('bodies-waiting');
    for (let count = 0; count < 3; count += 1) await begun(bodies.begin('a', SMALL_BYTES));
    large.end();
    await begun(bodies.begin('a', SMALL_BYTES + 1));
  });

  it('are rejected while memory is short: large ones first, then all, and none without a body', async () => {
    let use = 0.84;
    const bodies = createBodyWork({ steady: () => 0, scanner, memoryUse: () => use });
    const answers = async () => {
      const begun = await Promise.all([0, 1, SMALL_BYTES, SMALL_BYTES + 1].map((bytes) => bodies.begin('a', bytes)));
      return begun.map((work) => (typeof work === 'string' ? work : 'begun'));
    };
    expect(await answers()).toEqual(['begun', 'begun', 'begun', 'begun']);
    use = 0.85;
    expect(await answers()).toEqual(['begun', 'begun', 'begun', 'memory-short']);
    use = 0.95;
    expect(await answers()).toEqual(['begun', 'memory-short', 'memory-short', 'memory-short']);
  });

  it('rests after each step for as long as the step took, so that others come between', async () => {
    vi.useFakeTimers();
    let nowMs = 0;
    const bodies = createBodyWork({ steady: () => nowMs, scanner });
    const [one, two] = [await begun(bodies.begin('a', 100_000)), await begun(bodies.begin('b', 100_000))];
    const order: string[] = [];
    const step = async (work: Work, name: string) => {
      await work.turn();
      order.push(name);
      nowMs += 50;
    };
    const steps = Promise.all([step(one, 'one'), step(two, 'two')]);
    await vi.advanceTimersByTimeAsync(49);
    expect(order).toEqual(['one']);
    await vi.advanceTimersByTimeAsync(2);
    expect(order).toEqual(['one', 'two']);
    await steps;
  });

  it('takes what follows a step soon for the same step, and no longer than that', async () => {
    vi.useFakeTimers();
    let nowMs = 0;
    const bodies = createBodyWork({ steady: () => nowMs, scanner });
    const seen: string[] = [];
    const looking = (async () => {
      for (const name of ['first', 'soon', 'late']) {
        await bodies.turn();
        seen.push(name);
        nowMs += 3;
      }
    })();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual(['first', 'soon']);
    await vi.advanceTimersByTimeAsync(10);
    expect(seen).toEqual(['first', 'soon', 'late']);
    await looking;
  });
});
