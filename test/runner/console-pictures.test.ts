import { expect, it } from 'vitest';
import { demoIn } from './console-pictures.ts';

const OUTPUT = `alice  one-password  admin
bob  two-password  operator
carol  three-password  viewer
token  lct_secret

Its timeline in the console: http://localhost:8200/.lictor/console/runs/7c8f5491
Ctrl-C stops everything.
`;

it('finds the gateway, the run and the people of a demo that runs', () => {
  const { url, run, people } = demoIn(OUTPUT);
  expect([url, run, [...people.keys()]]).toEqual(['http://localhost:8200', '7c8f5491', ['alice', 'bob', 'carol']]);
  expect(people.get('bob')).toEqual({ name: 'bob', password: 'two-password', role: 'operator' });
});

it('rejects the output of a demo that does not run yet', () => {
  expect(() => demoIn(OUTPUT.split('Its timeline')[0] ?? '')).toThrow('does not run yet');
});
