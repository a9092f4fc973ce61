import { expect, it } from 'vitest';
import { exact, relativeTime, utc } from './time.tsx';

it.each([
  [-5_000, '5 sec. ago'],
  [-61_000, '1 min. ago'],
  [-7_200_000, '2 hr. ago'],
  [-86_400_000, 'yesterday'],
  [90_000, 'in 1 min.'],
  [0, 'now'],
])('%i ms from now', (ms, text) => {
  expect(relativeTime(1e12 + ms, 1e12)).toBe(text);
});

it('shows a time of a record', () => {
  expect(utc('2026-12-02T14:03:27.123Z')).toBe('2026-12-02 14:03:27 UTC');
  expect(exact('2026-12-02T14:03:27.123Z')).toBe('2026-12-02 14:03:27.123 UTC');
  expect(exact('2026-12-02T14:03:27Z')).toBe('2026-12-02 14:03:27 UTC');
});
