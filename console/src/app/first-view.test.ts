import { expect, it } from 'vitest';
import { firstView } from './first-view.ts';

const VIEWS = [{ name: 'runs' }, { name: 'search' }, { name: 'start' }];

it.each([
  [false, false, 'start'],
  [false, null, 'start'],
  [true, false, 'runs'],
  [false, true, 'runs'],
  [true, null, 'runs'],
  [null, null, 'runs'],
])('with runs %s and workers %s it is %s', (runs, workers, name) => {
  expect(firstView(VIEWS, { runs, workers })).toBe(name);
});
