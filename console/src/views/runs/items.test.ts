import { describe, expect, it } from 'vitest';
import { type Item, itemsOf, matching, type Shape } from './items.ts';
import type { Row } from './row.ts';
import { RUN, row, task, times } from './rows.fixture.ts';
import { createRows } from './rows.ts';

const CHILD = '0199c0de-0000-7000-8000-000000000002';
const PLAIN: Shape = { turned: new Set(), routine: false };
const said = (items: readonly Item[]): readonly string[] =>
  items.map((item) => `${item.level} ${item.type === 'lane' ? item.lane : item.type === 'row' ? item.at.row.what : `${item.rows.length}x`}`);

const nested: readonly Row[] = [
  row(0, { lane: 'who', what: 'deployments.run', principal: 'alice@local' }),
  task(1, 500),
  row(2, { kind: 'run', lane: 'run', object_id: CHILD, what: 'below' }),
  task(3, null, { flow_run_id: CHILD, depth: 1, what: 'deep' }),
];

describe('the lines of the picture', () => {
  it('are the lanes of the run, each with its rows in time order', () => {
    expect(said(itemsOf(times(...nested), RUN, PLAIN))).toEqual(['0 who', '1 deployments.run', '0 task', '1 work', '0 run', '1 below']);
  });

  it('have the lanes of a nested run below its row once it is opened', () => {
    const open = { ...PLAIN, turned: new Set([`run:${CHILD}`, `${RUN}/task`]) };
    expect(said(itemsOf(times(...nested), RUN, open))).toEqual(['0 who', '1 deployments.run', '0 task', '0 run', '1 below', '2 task', '3 deep']);
  });

  it('end at a run that is nested in itself', () => {
    const cycle = times(row(0, { kind: 'run', lane: 'run', object_id: RUN }));
    expect(itemsOf(cycle, RUN, { ...PLAIN, turned: new Set([`run:${RUN}`]) })).toHaveLength(2);
  });

  const chatter = times(
    ...[0, 1, 2].map((seconds) => row(seconds, { routine: true })),
    row(3, { what: 'flow_runs.cancel', decision: 'deny', status: 403 }),
    ...[4, 5].map((seconds) => row(seconds, { routine: true })),
    row(6, { routine: true, binding: 'asserted' }),
  );

  it('fold routine requests that say the same, up to the next change, and never mix bindings', () => {
    expect(said(itemsOf(chatter, RUN, PLAIN))).toEqual(['0 request', '1 3x', '1 flow_runs.cancel', '1 2x', '1 flow_runs.read']);
    expect(itemsOf(chatter, RUN, { ...PLAIN, routine: true })).toHaveLength(8);
  });

  it('close the lane of requests if all are routine', () => {
    const quiet = times(row(0, { routine: true }));
    expect(said(itemsOf(quiet, RUN, PLAIN))).toEqual(['0 request']);
  });
});

describe('a search in the rows', () => {
  it('finds all its words, in any case, in any field that is shown', () => {
    const rows = times(row(0, { principal: 'alice@local', reason: 'policy-default-deny' }), row(1));
    expect(matching(rows, 'ALICE default')).toHaveLength(1);
    expect(matching(rows, 'alice worker')).toHaveLength(0);
    expect(matching(rows, ' ')).toHaveLength(2);
  });
});

describe('rows as they arrive', () => {
  it('are in time order, and a changed one replaces the earlier one', () => {
    const rows = createRows();
    rows.add([row(5, { key: 'b' }), task(1, null, { key: 'a', message: 'first words' })]);
    const before = rows.all();
    expect(rows.all()).toBe(before);
    rows.add([task(1, 700, { key: 'a' }), row(3, { key: 'c' })]);
    expect(rows.all().map(({ row: { key }, open }) => [key, open])).toEqual([
      ['a', false],
      ['c', false],
      ['b', false],
    ]);
    expect(rows.get('a')?.row).toMatchObject({ duration_ms: 700, message: 'first words' });
  });

  it('without a time are left out', () => {
    const rows = createRows();
    rows.add([row(0), row(1, { time: '' })]);
    expect(rows.all()).toHaveLength(1);
  });
});
