import { expect, it } from 'vitest';
import { ageSeconds, bytes, cachedShare, columnsOf, isLate, milliseconds, nodeWords, percent, rate, ratePerSecond, readWords, short } from './numbers.ts';

it('writes numbers with units', () => {
  expect([short(0), short(9999), short(12_345), short(4_500_000)]).toEqual(['0', '9,999', '12.3k', '4.5M']);
  expect([milliseconds(null), milliseconds(0.42), milliseconds(12.4), milliseconds(1234)]).toEqual(['–', '0.4 ms', '12 ms', '1.2 s']);
  expect([bytes(null), bytes(0), bytes(900), bytes(1536), bytes(300 * 1024 ** 2)]).toEqual(['–', '0 B', '900 B', '1.5 KiB', '300 MiB']);
  expect([percent(0, 0), percent(0, 5), percent(1, 40), percent(3, 4)]).toEqual(['–', '0 %', '2.5 %', '75 %']);
  expect([rate(null), rate(0.054), rate(3.24), rate(41.6)]).toEqual(['–', '0.05/s', '3.2/s', '42/s']);
});

it('counts the rate over the last whole minute, without the interval that runs', () => {
  const points = [90, 30, 30, 30, 30, 2].map((requests) => ({ requests }));
  expect(ratePerSecond(points, 15)).toBe(2);
  expect(ratePerSecond([], 15)).toBeNull();
});

it('knows the share of cached decisions since the view was opened, and nothing after a restart', () => {
  const first = { requests_total: 100, decisions_total: 50 };
  expect(cachedShare(first, { requests_total: 200, decisions_total: 60 })).toBe(0.9);
  expect(cachedShare(first, { requests_total: 103, decisions_total: 51 })).toBeNull();
  expect(cachedShare(first, { requests_total: 200, decisions_total: 4 })).toBeNull();
  expect(cachedShare(first, { requests_total: 110, decisions_total: 90 })).toBe(0);
});

it('says whether something published is known', () => {
  const at = (second: number) => `2026-03-01T12:00:0${second}.000Z`;
  expect(readWords(null)[1]).toBe('none');
  expect(readWords({ read_at: null, failed_at: null, error: null })[1]).toBe('not read yet');
  expect(readWords({ read_at: at(1), failed_at: at(2), error: 'answered 500' })).toEqual(['bad', 'cannot be read']);
  expect(readWords({ read_at: at(3), failed_at: at(2), error: 'answered 500' })).toEqual(['good', 'known']);
});

it('finds late workers, and ages that are never negative', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  expect([isLate('2026-03-01T11:59:00Z', now), isLate('2026-03-01T11:57:00Z', now)]).toEqual([false, true]);
  expect([ageSeconds(null, now), ageSeconds('2026-03-01T12:00:09Z', now)]).toEqual([null, 0]);
});

it('gives a chart its columns, with holes where nothing was measured', () => {
  const point = { at: '1970-01-01T00:00:15.000Z', requests: 3, denied: 1, failed: 0, p50_ms: null, p95_ms: null };
  expect(columnsOf([point], ['requests', 'p95_ms'])).toEqual([[15], [3], [null]]);
});

it('names what is wrong with a node, and nothing of a sound one', () => {
  const chain = { behind_records: 0, head_at: null, silent_seconds: 1, late: false, problem: null };
  const sound = {
    ...{ name: 'n1', live: true, version: '1', started_at: null, last_seen_at: null, duties: [] },
    same_configuration: true,
    same_policies: null,
    chain,
  };
  expect([nodeWords(sound), nodeWords({ ...sound, chain: null })]).toEqual([[['good', 'live']], [['good', 'live']]]);
  expect(nodeWords({ ...sound, same_configuration: false, same_policies: false, chain: { ...chain, late: true } }).map(([, text]) => text)).toEqual([
    ...['live', 'other configuration', 'other policies', 'no newer head'],
  ]);
  expect(nodeWords({ ...sound, live: false, same_policies: false, chain: { ...chain, problem: 'no' } })).toEqual([
    ['warn', 'away'],
    ['bad', 'records rejected'],
  ]);
});
