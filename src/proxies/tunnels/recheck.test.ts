import { expect, it } from 'vitest';
import { countOf, recheckAll, recheckExpired } from './recheck.ts';

const tunnel = (id: string, expiresAtMs: number | null = null) => ({ authorization: { principal: { id }, credential: { expiresAtMs } } });
const coreOf = <T>(sessions: Iterable<T>) => ({ sessions, parts: { clock: () => 10 }, generation: 0 });

it('counts the tunnels of one principal', () => {
  expect(countOf([tunnel('a'), tunnel('b'), tunnel('a')], 'a')).toBe(2);
  expect(countOf([], 'a')).toBe(0);
});

it('decides again the tunnels with an expired credential, and no other', async () => {
  const [over, now, later, never] = [tunnel('a', 9), tunnel('b', 10), tunnel('c', 11), tunnel('d')];
  const decided: unknown[] = [];
  await recheckExpired(coreOf([over, now, later, never]), async (_core, one) => void decided.push(one));
  expect(decided).toEqual([over, now]);
});

it('decides every tunnel again, also if the set becomes smaller meanwhile, and marks earlier decisions as outdated', async () => {
  const all = new Set(Array.from({ length: 120 }, (_, index) => index));
  const core = coreOf(all);
  const decided: number[] = [];
  await recheckAll(core, async ({ generation }, one) => {
    expect(generation).toBe(1);
    all.delete(one);
    decided.push(one);
  });
  expect(decided).toEqual(Array.from({ length: 120 }, (_, index) => index));
});
