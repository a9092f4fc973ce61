import { expect, it } from 'vitest';
import { createWaitingRoom } from './waiting.ts';

it('admits the one that waits longest among those that may enter', async () => {
  const room = createWaitingRoom({ perAddress: 1, total: 2 });
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
  const room = createWaitingRoom({ perAddress: 1, total: 1 });
  const leave = await room.enter('a', 0);
  leave?.();
  leave?.();
  expect(await room.enter('a', 0)).toBeDefined();
  expect(await room.enter('b', 0)).toBeUndefined();
});

it('takes a whole /64 for one address, and two of IPv4 for two', async () => {
  const room = createWaitingRoom({ perAddress: 1, total: 9 });
  expect(await room.enter('2001:db8:0:1::1', 0)).toBeDefined();
  expect(await room.enter('2001:db8:0:1:ffff::2', 0)).toBeUndefined();
  expect(await room.enter('2001:db8:0:2::1', 0)).toBeDefined();
  expect(await room.enter('192.0.2.1', 0)).toBeDefined();
  expect(await room.enter('192.0.2.2', 0)).toBeDefined();
});
