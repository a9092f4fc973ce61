import { expect, it } from 'vitest';
import { parseSearch, stringifySearch } from './search-params.ts';

it.each([{ q: 'principal:alice decision:deny' }, { q: '"a" & b=c', record: '7' }, { q: '<b>\u202e' }])('reads back what it wrote: %j', (values) => {
  expect(parseSearch(stringifySearch(values))).toEqual(values);
});

it('takes a number for text, and leaves out what is empty', () => {
  expect(parseSearch('?record=007&q=true')).toEqual({ record: '007', q: 'true' });
  expect(stringifySearch({ q: '', tab: undefined })).toBe('');
});
