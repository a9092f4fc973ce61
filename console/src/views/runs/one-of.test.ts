import { expect, it } from 'vitest';
import { foundBy, oneOf } from './one-of.ts';

const OTTER = { id: '1', name: 'fuzzy-otter' };
const OTTERS = { id: '2', name: 'fuzzy-otter-2' };

it.each([
  [[OTTER], 'otter', '1'],
  [[{ id: '3', name: null }], '3', '3'],
  [[OTTERS, OTTER], 'fuzzy-otter', '1'],
  [[OTTERS, OTTER], 'fuzzy', undefined],
  [[OTTER, { ...OTTER, id: '4' }], 'fuzzy-otter', undefined],
  [[], 'x', undefined],
] as const)('of %j, %s opens %s', (runs, text, id) => {
  expect(oneOf(runs, text)).toBe(id);
});

it('the address of a run has the name by which it was found, and no beginning of its id', () => {
  expect(foundBy('0199', 'nightly')).toEqual({ found: 'nightly' });
  for (const text of ['', '01', '0199']) expect(foundBy('0199', text)).toEqual({});
});
