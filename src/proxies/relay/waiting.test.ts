import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWaitingRoom } from './waiting.ts';

it('admits the one that waits longest among those that may enter', async () => {
  const room = createWaitingRoom({ perAddress: 1, total: 2, perSecond: 100 }, () => 0);
  const leaveA = await room.enter('a', 1000);
  const leaveB = await room.enter('b', 1000);
  const order: string[] = [];
  const enter = async (address: string) => {
    const leave = await room.enter(address, 1000);
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
  const room = createWaitingRoom({ perAddress: 1, total: 1, perSecond: 100 }, () => 0);
  const leave = await room.enter('a', 0);
  leave?.();
  leave?.();
  expect(await room.enter('a', 0)).toBeDefined();
  expect(await room.enter('b', 0)).toBeUndefined();
});

it('takes a whole /64 for one address, and two of IPv4 for two', async () => {
  const room = createWaitingRoom({ perAddress: 1, total: 9, perSecond: 100 }, () => 0);
  expect(await room.enter('2001:db8:0:1::1', 0)).toBeDefined();
  expect(await room.enter('2001:db8:0:1:ffff::2', 0)).toBeUndefined();
  expect(await room.enter('2001:db8:0:2::1', 0)).toBeDefined();
  expect(await room.enter('192.0.2.1', 0)).toBeDefined();
  expect(await room.enter('192.0.2.2', 0)).toBeDefined();
});

it('forgets who leaves the line: its place in it is free at once, and it never gets one inside', async () => {
  const room = createWaitingRoom({ perAddress: 1, total: 9, perSecond: 100 }, () => 0);
  const leave = await room.enter('a', 60_000);
  const gone = Promise.withResolvers<void>();
  const first = room.enter('a', 60_000, gone.promise);
  expect(await room.enter('a', 60_000)).toBeUndefined();
  gone.resolve();
  expect(await first).toBeUndefined();
  const second = room.enter('a', 60_000);
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
    const room = createWaitingRoom(LIMITS, () => now);
    const entering = Array.from({ length: 30 }, () => room.enter('a', 60_000));
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
    const room = createWaitingRoom(LIMITS, () => now);
    await places(Array.from({ length: 60 }, () => room.enter('flood', 60_000)));
    const other = room.enter('worker', 60_000);
    expect(await places([other])).toBe(0);
    now = 100;
    await vi.advanceTimersByTimeAsync(100);
    expect(await places([other])).toBe(1);
  });
});

it('has room in a full line for an address with less in it; twin: not for one with as much', async () => {
  const room = createWaitingRoom({ perAddress: 3, total: 3, perSecond: 100 }, () => 0);
  const inside = await Promise.all(['a', 'b', 'c'].map((address) => room.enter(address, 60_000)));
  const flood = Array.from({ length: 3 }, () => room.enter('flood', 60_000));
  const [worker, other] = [room.enter('worker', 60_000), room.enter('other', 60_000)];
  expect([await flood[2], await flood[1]]).toEqual([undefined, undefined]);
  expect(await room.enter('third', 60_000)).toBeUndefined();
  for (const leave of inside) leave?.();
  expect((await Promise.all([worker, other, flood[0]])).map((leave) => leave !== undefined)).toEqual([true, true, true]);
});
