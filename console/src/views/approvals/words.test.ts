import { expect, it } from 'vitest';
import { argumentsWords, basisWords, isWaiting, judge, objectOf, shareLeft, timeLeft } from './words.ts';

const at = (ms: number) => new Date(ms).toISOString();

it.each([
  [-1, 'expired'],
  [47_500, '48 s'],
  [725_000, '12 min 05 s'],
  [7_800_000, '2 h 10 min'],
])('of %i ms %s are left', (ms, text) => {
  expect(timeLeft(at(1_000_000 + ms), 1_000_000)).toBe(text);
});

it('knows the share that is left, never more than all or less than nothing', () => {
  const request = { requested_at: at(1000), expires_at: at(2000) };
  expect([0, 1000, 1500, 2000, 9000].map((now) => shareLeft(request, now))).toEqual([1, 1, 0.5, 0, 0]);
  expect(shareLeft({ requested_at: at(5), expires_at: at(5) }, 5)).toBe(0);
});

it('waits only until the end', () => {
  expect(isWaiting({ state: 'pending', expires_at: at(10) }, 5)).toBe(true);
  expect(isWaiting({ state: 'pending', expires_at: at(10) }, 10)).toBe(false);
  expect(isWaiting({ state: 'denied', expires_at: at(10) }, 5)).toBe(false);
});

it.each([
  ['unknown', '"eu"', 0, 0],
  ['new', '"eu"', 0, 12],
  ['rare', '"eu"', 3, 12],
  ['usual', '"eu"', 6, 12],
  ['left-out', null, 0, 12],
])('judges %s', (judgement, value, same, count) => {
  expect(judge({ value, same }, count)).toBe(judgement);
});

it('names the object by what is known', () => {
  expect(objectOf({ resource: { type: 'Deployment', id: 'd1', name: 'etl/nightly' } })).toBe('etl/nightly');
  expect(objectOf({ resource: { type: 'Deployment', id: 'd1', name: null } })).toBe('d1');
  expect(objectOf({ resource: { type: 'System', id: null, name: null } })).toBe('System');
});

it('shows arguments on one line, without the object that is named beside them', () => {
  expect(argumentsWords({ id: 'd1', body: { parameters: { region: 'eu', items: [1] }, tags: [] } })).toBe('region eu, items [1]');
  expect(argumentsWords({ id: 'd1', query: 'force=1' })).toBe('query force=1');
  expect(argumentsWords({ id: 'd1', body: { note: 'x'.repeat(100) } })).toHaveLength(81);
  expect([argumentsWords(null), argumentsWords({ id: 'd1' })]).toEqual(['', '']);
});

it('says what it compares with', () => {
  expect(basisWords({ source: 'flow_runs', count: 12 })).toBe('Compared with the last 12 flow runs of this deployment.');
  expect(basisWords({ source: 'approvals', count: 1 })).toBe('Compared with the last request for the same action and object.');
  expect(basisWords({ source: 'approvals', count: 0 })).toBe('There is no earlier request to compare with.');
});
