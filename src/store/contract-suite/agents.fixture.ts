// What every store must do with the budgets and runs of agents.
import { expect, it } from 'vitest';
import { type NewUse, USE_KINDS, USE_WINDOWS_MS } from '../agent-uses.ts';
import { HOUR_MS, type StoreUnderTest } from './under-test.fixture.ts';

const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

const call = (most: number | null = 2): NewUse => ({ agent: 'copilot', kind: 'calls', amount: 1, most });
const run = (amount: number, most: number): NewUse => ({ agent: 'copilot', kind: 'runs', amount, most });

export function agentUseCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const take = (...uses: readonly NewUse[]) => get().store.agentUses.take(uses);
  const takeOther = (...uses: readonly NewUse[]) => get().other.agentUses.take(uses);

  it('are counted to the number in each window, and say when the next one fits', async () => {
    expect(await take(call())).toEqual({ ok: true, atMs: NOW_MS });
    advance(20_000);
    expect(await takeOther(call())).toMatchObject({ ok: true });
    expect(await take(call())).toEqual({ ok: false, over: call(), freesMs: NOW_MS + MINUTE_MS });
    advance(40_000 - 1);
    expect(await take(call())).toMatchObject({ ok: false });
    advance(1);
    expect(await take(call())).toMatchObject({ ok: true });
    expect(await takeOther(call())).toEqual({ ok: false, over: call(), freesMs: NOW_MS + 20_000 + MINUTE_MS });
  });

  it('of a large budget count to the end of their second, and to the number', async () => {
    const many = { ...call(2_000), amount: 1_000 };
    advance(1);
    await take(many);
    advance(500);
    await takeOther(many);
    expect(await take(call(2_000))).toEqual({ ok: false, over: call(2_000), freesMs: NOW_MS + 1_000 + MINUTE_MS });
    advance(MINUTE_MS + 498);
    expect(await take(call(2_000))).toMatchObject({ ok: false });
    advance(1);
    expect(await take(call(2_000))).toMatchObject({ ok: true });
  });

  it('pass no bound in a race, through two handles', async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? take : takeOther)(run(1, 5))));
    expect(taken.filter(({ ok }) => ok)).toHaveLength(5);
    expect(await get().other.agentUses.used('copilot', 'runs')).toBe(5);
  });

  it('are taken all or none, and each agent and kind has a separate count', async () => {
    expect(await take(run(3, 5), { ...run(3, 2), agent: 'other' })).toMatchObject({ ok: false, over: { agent: 'other' } });
    expect(await Promise.all(USE_KINDS.map((kind) => get().store.agentUses.used('copilot', kind)))).toEqual([0, 0, 0]);
    expect(await take(run(3, 5), { ...run(3, 3), agent: 'other' }, call())).toMatchObject({ ok: true });
    expect(await take(run(3, 5))).toMatchObject({ ok: false });
    expect(await take(run(2, 5))).toMatchObject({ ok: true });
  });

  it('beyond the whole budget say when the window is empty', async () => {
    expect(await take(run(6, 5))).toMatchObject({ ok: false, freesMs: NOW_MS + HOUR_MS });
    advance(1);
    await take(run(1, 5));
    expect(await take(run(6, 5))).toMatchObject({ ok: false, freesMs: NOW_MS + 1 + HOUR_MS });
  });

  it('are given back once, and free the window', async () => {
    const taken = await take(run(5, 5));
    if (!taken.ok) throw new Error('the window is empty');
    await get().other.agentUses.giveBack({ agent: 'copilot', kind: 'runs', amount: 2 }, taken.atMs);
    expect(await take(run(3, 5))).toMatchObject({ ok: false });
    expect(await take(run(2, 5))).toMatchObject({ ok: true });
  });

  it('of bytes count after the answer: the next call is refused once they are used up', async () => {
    const bytes: NewUse = { agent: 'copilot', kind: 'bytes', amount: 0, most: 1_000 };
    expect(await take(bytes, call(null))).toMatchObject({ ok: true });
    get().other.agentUses.add({ agent: 'copilot', kind: 'bytes', amount: 900 });
    get().other.agentUses.add({ agent: 'copilot', kind: 'bytes', amount: 99 });
    expect(await get().other.agentUses.used('copilot', 'bytes')).toBe(999);
    await expect.poll(() => get().store.agentUses.used('copilot', 'bytes')).toBe(999);
    expect(await get().other.agentUses.used('copilot', 'bytes')).toBe(999);
    advance(1);
    expect(await take(bytes)).toMatchObject({ ok: true });
    get().store.agentUses.add({ agent: 'copilot', kind: 'bytes', amount: 5_000 });
    expect(await take(bytes)).toMatchObject({ ok: false });
    await get().store.agentUses.flush();
    expect(await take(bytes, call(null))).toMatchObject({ ok: false, over: bytes, freesMs: NOW_MS + 1_000 + HOUR_MS });
    advance(HOUR_MS);
    expect(await take(bytes)).toMatchObject({ ok: false });
    advance(1_000);
    expect(await take(bytes)).toMatchObject({ ok: true });
  });

  it.each([-1, -MINUTE_MS, -24 * HOUR_MS])('neither free nor block for ever when the clock steps by %i ms', async (stepMs) => {
    await take(call());
    await take(call());
    advance(stepMs);
    expect(await take(call())).toMatchObject({ ok: false, freesMs: NOW_MS + stepMs + MINUTE_MS });
    advance(MINUTE_MS - 1);
    expect(await take(call())).toMatchObject({ ok: false });
    advance(1);
    expect(await take(call())).toMatchObject({ ok: true });
  });

  it('are there again when the clock is put back after it has leapt ahead', async () => {
    await take(run(5, 5));
    advance(HOUR_MS);
    expect(await take(run(1, 5))).toMatchObject({ ok: true });
    advance(-HOUR_MS);
    expect(await take(run(1, 5))).toMatchObject({ ok: false });
    expect(await get().store.agentUses.used('copilot', 'runs')).toBe(6);
  });

  it('say when the agent was there last, however long ago', async () => {
    expect(await get().store.agentUses.lastMs('copilot', 'calls')).toBeNull();
    await take(call());
    advance(USE_WINDOWS_MS.calls * 100);
    await take({ ...call(), agent: 'other' });
    expect(await get().other.agentUses.lastMs('copilot', 'calls')).toBe(NOW_MS);
    await take(call());
    expect(await get().other.agentUses.used('copilot', 'calls')).toBe(1);
  });
}

export function agentRunCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const runs = () => get().store.agentRuns;
  const own = (most: number | null, count = 1) => ({ agent: 'copilot', root: null, count, most });
  const below = (most: number, root = 'r1') => ({ agent: 'copilot', root, count: 1, most });
  const begin = async (...ids: readonly string[]): Promise<void> =>
    runs().begin((await runs().reserve(own(null, ids.length))) ?? [], { agent: 'copilot', root: null, ids });

  it('in progress pass no bound in a race, through two handles', async () => {
    const reserved = await Promise.all(Array.from({ length: 20 }, (_, index) => get()[index % 2 === 0 ? 'store' : 'other'].agentRuns.reserve(own(2))));
    expect(reserved.filter((ids) => ids !== undefined)).toHaveLength(2);
    expect([await runs().inProgress('copilot'), await runs().inProgress('other')]).toEqual([2, 0]);
  });

  it('count from their reservation to their end, also when they begin again', async () => {
    const reserved = (await runs().reserve(own(2, 2))) ?? [];
    await runs().begin(reserved, { agent: 'copilot', root: null, ids: ['r1'] });
    expect(await get().other.agentRuns.unfinished('copilot')).toEqual([{ id: 'r1', root: 'r1' }]);
    expect(await runs().reserve(own(2, 2))).toBeUndefined();
    await runs().end('copilot', ['r1'], NOW_MS);
    expect([await runs().inProgress('copilot'), await runs().unfinished('copilot')]).toEqual([0, []]);
    await begin('r1');
    expect(await runs().inProgress('copilot')).toBe(1);
  });

  it('that began after Prefect was asked have not ended', async () => {
    await begin('r1');
    advance(1);
    await begin('r1');
    await runs().end('copilot', ['r1'], NOW_MS);
    expect(await runs().inProgress('copilot')).toBe(1);
  });

  it('below a run count until its whole tree has ended, and not as the own ones', async () => {
    await begin('r1');
    await runs().begin((await runs().reserve(below(2))) ?? [], { agent: 'copilot', root: 'r1', ids: ['d1'] });
    await runs().begin((await get().other.agentRuns.reserve(below(2))) ?? [], { agent: 'copilot', root: 'r1', ids: ['d2'] });
    await runs().end('copilot', ['r1', 'd1'], NOW_MS);
    advance(2 * HOUR_MS);
    expect([await runs().reserve(below(2)), await runs().inProgress('copilot')]).toEqual([undefined, 0]);
    expect(await runs().unfinished('copilot')).toEqual([{ id: 'd2', root: 'r1' }]);
    expect(await runs().reserve(below(1, 'r2'))).toHaveLength(1);
    await runs().end('copilot', ['d2'], NOW_MS + 2 * HOUR_MS);
    expect(await runs().reserve(below(2))).toBeUndefined();
    advance(HOUR_MS);
    expect(await runs().reserve(below(2))).toHaveLength(1);
  });

  it('below a run that the agent starts again count as its own, and below that run as before', async () => {
    await begin('r1');
    await runs().begin((await runs().reserve(below(2))) ?? [], { agent: 'copilot', root: 'r1', ids: ['d1'] });
    await runs().end('copilot', ['d1'], NOW_MS);
    advance(1);
    await begin('d1');
    expect(await runs().inProgress('copilot')).toBe(2);
    expect([await runs().reserve(own(2)), await runs().reserve(below(1))]).toEqual([undefined, undefined]);
    await runs().end('copilot', ['d1'], NOW_MS + 1);
    expect(await runs().inProgress('copilot')).toBe(1);
  });

  it.each([0, -24 * HOUR_MS])('that are reserved and never begin stop counting after an hour, also when the clock steps by %i ms', async (stepMs) => {
    await runs().reserve(own(1));
    advance(stepMs);
    expect(await runs().reserve(own(1))).toBeUndefined();
    advance(HOUR_MS - 1);
    expect(await runs().reserve(own(1))).toBeUndefined();
    advance(1);
    expect(await runs().reserve(own(1))).toHaveLength(1);
  });
}
