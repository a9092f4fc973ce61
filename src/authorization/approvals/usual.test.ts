// What is usual among the arguments of a request, and what is new.
import { expect, it } from 'vitest';
import { compareArguments } from './usual.ts';

it('counts the same value and shows the other ones, the most frequent first', () => {
  const earlier = [{ region: 'eu' }, { region: 'us' }, { region: 'eu' }, { region: 'asia' }];
  expect(compareArguments({ region: 'us' }, earlier)).toEqual([
    {
      ...{ name: 'region', value: '"us"', same: 1 },
      others: [
        { value: '"eu"', count: 2 },
        { value: '"asia"', count: 1 },
      ],
    },
  ]);
});

it('names what is new, and what only earlier requests give', () => {
  expect(compareArguments({ dates: { from: 1 } }, [{ mode: 'full' }])).toEqual([
    { name: 'dates.from', value: '1', same: 0, others: [] },
    { name: 'mode', value: null, same: 0, others: [{ value: '"full"', count: 1 }] },
  ]);
});

it('compares whole values and shows their beginning, and takes no key for more than a name', () => {
  const long = 'x'.repeat(1000);
  const [row, proto] = compareArguments(JSON.parse(`{"a":"${long}","__proto__":[1,{"b":2}]}`), [{ a: `${long}y` }]);
  expect([row?.same, row?.value?.length, row?.others[0]?.value.length]).toEqual([0, 301, 301]);
  expect(proto).toMatchObject({ name: '__proto__', value: '[1,{"b":2}]' });
});

it('stays small', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`p${at}`, at]));
  expect(compareArguments(many, [many])).toHaveLength(100);
  expect(compareArguments({ a: { b: { c: { d: 1 } } } }, [])).toMatchObject([{ name: 'a.b.c', value: '{"d":1}' }]);
});
