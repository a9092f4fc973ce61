// What every store must do with the ledgers of all nodes, and with how far sinks have them.
import { expect, it } from 'vitest';
import type { ShelfRow } from '../ledger-shelf.ts';
import { GONE_AFTER_MS } from '../nodes.ts';
import type { StoreUnderTest } from './under-test.fixture.ts';

const rows = (from: number, to: number, body = 'x'): readonly ShelfRow[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ seq: from + index, hash: `h${from + index}`, body }));
const HEAD = { text: '{"é":1}', signature: 'abc=' };

export function ledgerShelfCases(get: () => StoreUnderTest): void {
  const shelf = () => get().store.ledgerShelf;
  const other = () => get().other.ledgerShelf;
  const numbers = async (node: string, after = 0, count = 100) => (await other().after(node, after, count)).map(({ seq }) => seq);

  it('have what each node added, in its order, and its newest head', async () => {
    expect([await shelf().append('a', rows(1, 3), null), await other().append('b', rows(1, 1), HEAD)]).toEqual([true, true]);
    expect(await other().heads()).toEqual([{ node: 'b', head: HEAD, start: null }]);
    expect(await shelf().append('a', rows(4, 5), HEAD)).toBe(true);
    expect(await shelf().append('a', [], { ...HEAD, signature: 'later' })).toBe(true);
    expect(await other().heads()).toEqual([
      { node: 'a', head: { ...HEAD, signature: 'later' }, start: null },
      { node: 'b', head: HEAD, start: null },
    ]);
    expect([await numbers('a'), await numbers('a', 2), await numbers('a', 2, 2), await numbers('b', 1)]).toEqual([[1, 2, 3, 4, 5], [3, 4, 5], [3, 4], []]);
    expect([await other().endOf('a'), await other().endOf('c')]).toEqual([{ seq: 5, hash: 'h5' }, undefined]);
  });

  it('take nothing that does not follow: a gap, or what is there already', async () => {
    expect(await shelf().append('a', rows(7, 8), HEAD)).toBe(true);
    expect([await shelf().append('a', rows(10, 11), HEAD), await other().append('a', rows(8, 9), { ...HEAD, text: 'no' })]).toEqual([false, false]);
    expect(await numbers('a')).toEqual([7, 8]);
    expect(await shelf().heads()).toEqual([{ node: 'a', head: HEAD, start: null }]);
  });

  it('are added once by two handles of one name', async () => {
    await shelf().append('a', rows(1, 1), null);
    const both = await Promise.all([shelf(), other()].map((one) => one.append('a', rows(2, 4), null)));
    expect(both.toSorted()).toEqual([false, true]);
    expect(await numbers('a')).toEqual([1, 2, 3, 4]);
  });

  it('answer about one MiB at once, and one record whatever its size', async () => {
    await shelf().append('a', rows(1, 6, 'y'.repeat(400_000)), null);
    await shelf().append('a', rows(7, 8, 'z'.repeat(2_000_000)), null);
    expect([await numbers('a'), await numbers('a', 4), await numbers('a', 6)]).toEqual([[1, 2], [5, 6], [7]]);
  });

  it('are trimmed by the holder of the duty, with its statement, never to the last record; an older statement changes nothing', async () => {
    const trim = (upTo: number, fence: number, text = `to ${upTo}`) => shelf().trim('a', upTo, { start: { ...HEAD, text }, fence });
    const start = async () => (await other().headOf('a'))?.start?.text;
    await shelf().append('a', rows(1, 9), HEAD);
    await shelf().append('b', rows(1, 9), HEAD);
    expect([await trim(4, 1), await numbers('a'), await start()]).toEqual([false, rows(1, 9).map(({ seq }) => seq), undefined]);
    expect([await trim(4, 0), await numbers('a'), await start()]).toEqual([true, [5, 6, 7, 8, 9], 'to 4']);
    expect([await trim(3, 0), await start()]).toEqual([true, 'to 4']);
    expect([await trim(9, 0), await numbers('a'), await start()]).toEqual([true, [9], 'to 9']);
    await shelf().append('a', rows(10, 11), { ...HEAD, signature: 'back' });
    expect(await other().heads()).toEqual([
      { node: 'a', head: { ...HEAD, signature: 'back' }, start: { ...HEAD, text: 'to 9' } },
      { node: 'b', head: HEAD, start: null },
    ]);
    expect([await numbers('a'), await numbers('b')]).toEqual([[9, 10, 11], rows(1, 9).map(({ seq }) => seq)]);
  });

  it('have a bounded number of heads, of the nodes seen last, and an empty text for one that is longer than any', async () => {
    const { nodes } = get().store;
    await shelf().append('z', rows(1, 1), { ...HEAD, text: 'x'.repeat(1 << 20) });
    await shelf().append('y', rows(1, 1), { ...HEAD, text: 'x'.repeat((1 << 20) + 1) });
    for (let index = 0; index < 199; index += 1) await shelf().append(`n${index}`, [], HEAD);
    for (const name of ['y', 'z']) await nodes.join({ name, instance: name, version: '1', configuration: 'c' });
    const heads = await other().heads();
    expect([heads.length, heads.at(-2), heads.at(-1)?.head.text.length]).toEqual([200, { node: 'y', head: { ...HEAD, text: '' }, start: null }, 1 << 20]);
    expect(await other().headOf('y')).toEqual(heads.at(-2));
    expect(await other().headOf('n198')).toMatchObject({ head: HEAD });
  });

  it('are removed from either end', async () => {
    await shelf().append('a', rows(1, 9), HEAD);
    await shelf().append('b', rows(1, 9), null);
    await shelf().removeUpTo('a', 3);
    await other().removeAfter('a', 7);
    expect([await numbers('a'), await numbers('b')]).toEqual([
      [4, 5, 6, 7],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]);
  });
}

export function ledgerExportCases(get: () => StoreUnderTest, advance: (ms: number) => void): void {
  const exports = () => get().store.ledgerExports;
  const other = () => get().other.ledgerExports;
  const a = { sink: 's', node: 'a', seq: 3 };
  const join = () => get().store.nodes.join({ name: 'a', instance: 'a', version: '1', configuration: 'c' });

  it('have the positions of a node: one for each sink, which only its own node changes while it is live', async () => {
    await join();
    expect([await exports().sent(a, null), await exports().sent({ ...a, sink: 't' }, null)]).toEqual([true, true]);
    expect(await exports().sent({ ...a, seq: 5 }, null)).toBe(true);
    advance(GONE_AFTER_MS - 1);
    expect(await other().claimLost(0)).toEqual([]);
    expect(await other().sent({ ...a, seq: 9 }, 0)).toBe(false);
    expect((await other().claimOwn('a')).toSorted((x, y) => y.seq - x.seq)).toEqual([
      { ...a, seq: 5 },
      { ...a, sink: 't' },
    ]);
    expect(await other().claimOwn('b')).toEqual([]);
  });

  it('of a node that is gone go to the holder of the duty, and back to the node with its next start', async () => {
    await join();
    await exports().sent(a, null);
    advance(GONE_AFTER_MS);
    expect(await other().claimLost(1)).toEqual([]);
    expect(await exports().sent({ ...a, seq: 4 }, null)).toBe(true);
    expect(await other().claimLost(0)).toEqual([{ ...a, seq: 4 }]);
    expect(await exports().sent({ ...a, seq: 5 }, null)).toBe(false);
    expect([await other().sent({ ...a, seq: 6 }, 1), await other().sent({ ...a, sink: 'new', seq: 6 }, 0), await other().sent({ ...a, seq: 6 }, 0)]).toEqual([
      false,
      false,
      true,
    ]);
    await join();
    expect(await exports().claimOwn('a')).toEqual([{ ...a, seq: 6 }]);
    expect([await other().sent({ ...a, seq: 7 }, 0), await other().claimLost(0), await exports().sent({ ...a, seq: 8 }, null)]).toEqual([false, [], true]);
  });
}
