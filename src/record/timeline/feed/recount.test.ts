import { describe, expect, it } from 'vitest';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { Pages } from './pages.ts';
import { createRecount } from './recount.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-03-08T12:00:00.000Z');
const BEGAN_MS = NOW_MS - 30 * 24 * HOUR_MS;

/** Prefect with events at these times, and the ledger with those of them that were stored. */
function room(held: readonly number[], stored: readonly number[], beganMs: number | null = BEGAN_MS) {
  const here = new Set(stored);
  const asked: [number, number][] = [];
  const read: [number, number][] = [];
  const within = (times: Iterable<number>, since: number, until: number) => [...times].filter((at) => at >= since && at <= until);
  const pages: Pages = {
    async count(since, until) {
      asked.push([since, until]);
      return within(held, since, until).length;
    },
    async read(since, until, take) {
      read.push([since, until]);
      await take(within(held, since, until).map((at) => ({ occurred: new Date(at).toISOString() }) as PrefectEvent));
    },
  };
  const recount = createRecount({
    pages,
    intake: { take: async (events) => void events.map(({ occurred }) => here.add(Date.parse(occurred))), stored: async () => undefined },
    openCounts: () => ({ count: (since, until) => within(here, since, until).length, beganMs: () => beganMs ?? undefined, close: () => undefined }),
    clock: () => NOW_MS,
  });
  const whole = async () => {
    for (let round = 0; round < 100; round += 1) await recount.step();
  };
  return { recount, here, asked, read, whole };
}

describe('the recount of a week', () => {
  it('takes what came late while no stream was open, and reads nothing where the numbers agree', async () => {
    const late = NOW_MS - 50 * HOUR_MS - 1;
    const { recount, here, asked, read, whole } = room([NOW_MS - 5 * HOUR_MS, late, late + 7], [NOW_MS - 5 * HOUR_MS, late + 7]);
    recount.begin(NOW_MS);
    await whole();
    expect(here.has(late)).toBe(true);
    expect(read).toHaveLength(1);
    expect(asked).toHaveLength(7 * 24);
  });

  it('asks nothing while nothing is in doubt, and a few hours at once when it is', async () => {
    const { recount, asked } = room([], []);
    await recount.step();
    expect(asked).toEqual([]);
    recount.begin(NOW_MS);
    await recount.step();
    expect(asked.map(([since, until]) => [until - since, until])).toEqual([0, 1, 2, 3].map((hours) => [HOUR_MS, NOW_MS - hours * HOUR_MS]));
  });

  it('goes back only to the oldest event in the ledger: deleted ones do not return', async () => {
    const { recount, here, asked, whole } = room([NOW_MS - 10 * HOUR_MS], [], NOW_MS - 3 * HOUR_MS);
    recount.begin(NOW_MS);
    await whole();
    expect([asked.length, here.size]).toEqual([3, 0]);
  });

  it('is none for a gateway that has stored nothing yet', async () => {
    const { recount, asked, whole } = room([NOW_MS - HOUR_MS], [], null);
    recount.begin(NOW_MS);
    await whole();
    expect(asked).toEqual([]);
  });

  it('cuts an hour of many events in pieces', async () => {
    const held = Array.from({ length: 5_000 }, (_, index) => NOW_MS - 1_000 - index * 100);
    const { recount, here, read, whole } = room(held, held.slice(10));
    recount.begin(NOW_MS);
    await whole();
    expect(here.size).toBe(5_000);
    expect(read).toHaveLength(1);
  });

  it('comes again after one that is under way', async () => {
    const { recount, asked, whole } = room([], []);
    recount.begin(NOW_MS);
    await recount.step();
    recount.begin(NOW_MS);
    await whole();
    expect(asked).toHaveLength(2 * 7 * 24);
  });

  it('tries an hour again of which Prefect gave no answer', async () => {
    const late = NOW_MS - 1;
    const { recount, here, whole } = room([late], []);
    recount.begin(NOW_MS);
    const broken = createRecount({
      pages: { count: async () => Promise.reject(new Error('away')), read: async () => undefined },
      intake: { take: async () => undefined, stored: async () => undefined },
      openCounts: () => ({ count: () => 0, beganMs: () => BEGAN_MS, close: () => undefined }),
      clock: () => NOW_MS,
    });
    broken.begin(NOW_MS);
    await expect(broken.step()).rejects.toThrow('away');
    await expect(broken.step()).rejects.toThrow('away');
    await whole();
    expect(here.has(late)).toBe(true);
  });
});
