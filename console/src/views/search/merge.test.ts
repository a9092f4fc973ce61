import { expect, it } from 'vitest';
import { merged } from './merge.ts';

const record = (id: number, time: string) => ({ id: String(id), time, seq: id, node: 'n1' });

it('has each record once, newest first, also those that are written late', () => {
  const list = [record(3, '12:03'), record(1, '12:01')];
  expect(merged([record(4, '12:02'), record(3, '12:03'), record(5, '12:03'), record(5, '12:03')], list).map(({ id }) => id)).toEqual(['5', '3', '4', '1']);
  expect(merged([], list)).toBe(list);
  expect(merged([record(1, '12:01')], list)).toBe(list);
});
