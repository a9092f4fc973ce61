// Times as text, in UTC: in full for programs, and to the minute for people.

/** `2026-03-01T12:00:00.000Z`. */
export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** `2026-03-01 12:00`, of epoch milliseconds or of a time of `isoTime`. */
export function minuteOf(time: number | string): string {
  return (typeof time === 'number' ? isoTime(time) : time).slice(0, 16).replace('T', ' ');
}
