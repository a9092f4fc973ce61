import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAdmissionQueue } from './admission-queue.ts';

it('admits the one that waits longest among those that may enter', async () => {
  const queue = createAdmissionQueue({ perAddress: 1, total: 2, perSecond: 100 }, () => 0);
  const leaveA = await queue.enter('a', 1000);
  const leaveB = await queue.enter('b', 1000);
  const order: string[] = [];
  const enter = async (address: string) => {
    const leave = await queue.enter(address, 1000);
    order.push(address);
    return leave;
  };
  const [secondB, c] = [enter('b'), enter('c')];
  leaveA?.();
  const leaveC = await c;
  expect(order).toEqual(['c']);
  leaveB?.();
  (await secondB)?.();
  leaveC?.();
  expect(order).toEqual(['c', 'b']);
});

it('counts a place that is given back twice once', async () => {
  const queue = createAdmissionQueue({ perAddress: 1, total: 1, perSecond: 100 }, () => 0);
  const leave = await queue.enter('a', 0);
  leave?.();
  leave?.();
  expect(await queue.enter('a', 0)).toBeDefined();
  expect(await queue.enter('b', 0)).toBeUndefined();
});

it('takes a whole /64 for one address, and two of IPv4 for two', async () => {
  const queue = createAdmissionQueue({ perAddress: 1, total: 9, perSecond: 100 }, () => 0);
  expect(await queue.enter('2001:db8:0:1::1', 0)).toBeDefined();
  expect(await queue.enter('2001:db8:0:1:ffff::2', 0)).toBeUndefined();
  expect(await queue.enter('2001:db8:0:2::1', 0)).toBeDefined();
  expect(await queue.enter('192.0.2.1', 0)).toBeDefined();
  expect(await queue.enter('192.0.2.2', 0)).toBeDefined();
});

it('forgets who leaves the line: its place in it is free at once, and it never gets one inside', async () => {
  const queue = createAdmissionQueue({ perAddress: 1, total: 9, perSecond: 100 }, () => 0);
  const leave = await queue.enter('a', 60_000);
  const gone = Promise.withResolvers<void>();
  const first = queue.enter('a', 60_000, gone.promise);
  expect(await queue.enter('a', 60_000)).toBeUndefined();
  gone.resolve();
  expect(await first).toBeUndefined();
  const second = queue.enter('a', 60_000);
  leave?.();
  expect(await second).toBeDefined();
});

describe('the pace', () => {
  const LIMITS = { perAddress: 50, total: 100, perSecond: 20 };
  const places = async (entering: readonly Promise<unknown>[]): Promise<number> => {
    let given = 0;
    for (const entry of entering) void entry.then((leave) => (given += leave === undefined ? 0 : 1));
    await new Promise((resolve) => setImmediate(resolve));
    return given;
  };
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('lets as many enter at once as come in a second, and then one after the other', async () => {
    let now = 0;
    const queue = createAdmissionQueue(LIMITS, () => now);
    const entering = Array.from({ length: 30 }, () => queue.enter('a', 60_000));
    expect(await places(entering)).toBe(20);
    now = 250;
    await vi.advanceTimersByTimeAsync(250);
    expect(await places(entering)).toBe(25);
    now = 10_000;
    await vi.advanceTimersByTimeAsync(9_750);
    expect(await places(entering)).toBe(30);
  });

  it('takes addresses in turn: one client waits for the next turn, not for the line of a flood', async () => {
    let now = 0;
    const queue = createAdmissionQueue(LIMITS, () => now);
    await places(Array.from({ length: 60 }, () => queue.enter('flood', 60_000)));
    const other = queue.enter('worker', 60_000);
    expect(await places([other])).toBe(0);
    now = 100;
    await vi.advanceTimersByTimeAsync(100);
    expect(await places([other])).toBe(1);
  });
});

it('has queue in a full line for an address with less in it; twin: not for one with as much', async () => {
  const queue = createAdmissionQueue({ perAddress: 3, total: 3, perSecond: 100 }, () => 0);
  const inside = await Promise.all(['a', 'b', 'c'].map((address) => queue.enter(address, 60_000)));
  const flood = Array.from({ length: 3 }, () => queue.enter('flood', 60_000));
  const [worker, other] = [queue.enter('worker', 60_000), queue.enter('other', 60_000)];
  expect([await flood[2], await flood[1]]).toEqual([undefined, undefined]);
  expect(await queue.enter('third', 60_000)).toBeUndefined();
  for (const leave of inside) leave?.();
  expect((await Promise.all([worker, other, flood[0]])).map((leave) => leave !== undefined)).toEqual([true, true, true]);
});
