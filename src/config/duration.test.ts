// Durations: what is read, and what is not.
import { describe, expect, it } from 'vitest';
import { parseDurationSeconds } from './duration.ts';

describe('parseDurationSeconds', () => {
  it.each([
    ['500ms', 0.5],
    ['30s', 30],
    ['15m', 900],
    ['24h', 86_400],
    ['90d', 7_776_000],
  ])('reads %s', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds);
  });

  it.each(['', '30', 's', '0s', '-1s', '+1s', '1.5h', ' 30s', '30s ', '30 s', '1h30m', '30S', '1w', '٣s', '9999999999d', '4000d', '030s'])(
    'refuses %j',
    (text) => {
      expect(parseDurationSeconds(text)).toBeUndefined();
    },
  );
});
