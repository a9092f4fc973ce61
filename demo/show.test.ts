import { expect, it } from 'vitest';
import { pageLine } from './show.ts';

const PAGE = 'http://localhost:8200/runs/flow-run/0199c0de-0000-7000-8000-000000000001';

it('the page of the run is to be opened where the demo stays', () => {
  expect(pageLine(PAGE, 'stays')).toBe(`Open ${PAGE} and log in as alice.`);
});

it('it is named, and not to be opened, where everything is stopped in the next moment', () => {
  expect(pageLine(PAGE, 'stops')).toContain(PAGE);
  expect(pageLine(PAGE, 'stops')).not.toMatch(/Open|log in/);
});
