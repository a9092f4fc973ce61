import { describe, expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import { createChooseServers } from './choose-servers.ts';

const server = (origin: string, weight = 1, backup = false) => ({ origin, weight, backup });
const NONE = { isDown: () => false, openAt: () => 0 };

describe('the servers of a service', () => {
  it('are asked by their weights, evenly over time', () => {
    const choose = createChooseServers(NONE);
    const service = bareService('live', [], { servers: [server('a', 5), server('b'), server('c')] });
    const first = Array.from({ length: 14 }, () => choose(service)[0]?.origin);
    expect(first.slice(0, 7)).toEqual(['a', 'a', 'b', 'a', 'c', 'a', 'a']);
    expect(first.slice(7)).toEqual(first.slice(0, 7));
  });

  it('come all, each once, with the backups last', () => {
    const choose = createChooseServers(NONE);
    const service = bareService('live', [], { servers: [server('spare', 9, true), server('a'), server('b')] });
    for (const order of [choose(service), choose(service)]) {
      expect(order.map(({ origin }) => origin).toSorted()).toEqual(['a', 'b', 'spare']);
      expect(order.at(-1)?.origin).toBe('spare');
    }
  });

  it('are passed over while their health says that they are down, backups too', () => {
    const down = new Set(['a']);
    const choose = createChooseServers({ ...NONE, isDown: (_service, { origin }) => down.has(origin) });
    const service = bareService('live', [], { servers: [server('a', 9), server('b'), server('spare', 1, true)] });
    expect(choose(service).map(({ origin }) => origin)).toEqual(['b', 'spare']);
    for (const origin of ['b', 'spare']) down.add(origin);
    expect(choose(service)).toEqual([]);
    down.clear();
    expect(choose(service)).toHaveLength(3);
  });

  it('with least_connections: the one with the fewest sockets for its weight', () => {
    const open = new Map([
      ['a', 4],
      ['b', 1],
      ['c', 1],
    ]);
    const choose = createChooseServers({ ...NONE, openAt: (_service, { origin }) => open.get(origin) ?? 0 });
    const service = bareService('live', [], { balance: 'least_connections', servers: [server('a', 10), server('b', 1), server('c', 2)] });
    expect(choose(service).map(({ origin }) => origin)).toEqual(['a', 'c', 'b']);
  });

  it('with hash_by_run: the same for each principal, by weight over all, and few move when one goes', () => {
    const servers = [server('a', 3), server('b'), server('c')];
    const choose = createChooseServers(NONE);
    const first = (caller: string, of = servers) => choose(bareService('live', [], { balance: 'hash_by_run', servers: of }), caller)[0]?.origin;
    const callers = Array.from({ length: 1_000 }, (_, number) => `run:${number}`);
    const before = callers.map((caller) => first(caller));
    expect(callers.map((caller) => first(caller))).toEqual(before);
    const share = before.filter((origin) => origin === 'a').length;
    expect(Math.abs(share - 600)).toBeLessThan(60);
    const after = callers.map((caller) => first(caller, servers.slice(0, 2)));
    expect(after.filter((origin, place) => origin !== before[place] && before[place] !== 'c')).toEqual([]);
  });
});
