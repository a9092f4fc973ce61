// Durations as people write them: 500ms 30s 15m 24h 90d.

const UNIT_SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Ten years. A longer duration is a mistake, and sums of shorter ones never overflow. */
const LONGEST_SECONDS = 3650 * 86_400;

/** For messages: what a duration looks like. */
export const DURATION_HINT = 'Write a whole number and a unit: 500ms, 30s, 15m, 24h or 90d.';

/** Seconds (fractional for `ms`), or undefined when the text is no duration: one whole number above 0 and one unit, at most ten years. */
export function parseDurationSeconds(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,9})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? Number.NaN);
  return seconds <= LONGEST_SECONDS ? seconds : undefined;
}
