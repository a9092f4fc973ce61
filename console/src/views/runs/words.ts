// Times, durations and chains of principals as text.

/** `850 ms`, `2.3 s`, `1 min 20 s`, `3 h 5 min`, `2 d 4 h`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim((ms / 1_000).toFixed(1))} s`;
  const [first, second] = parts(Math.round(ms / 1_000));
  return second === undefined ? (first ?? '') : `${first} ${second}`;
}

function parts(seconds: number): readonly string[] {
  const all: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'min'],
    [seconds % 60, 's'],
  ];
  const first = all.findIndex(([count]) => count > 0);
  return all.slice(first, first + 2).flatMap(([count, unit]) => (count > 0 ? [`${count} ${unit}`] : []));
}

function trim(text: string): string {
  return text.replace(/\.0$/, '');
}

/** The time since the start of the run, exact enough for two neighbours to differ. */
export function offset(ms: number): string {
  const sign = ms < 0 ? '−' : '+';
  const size = Math.abs(ms);
  if (size < 60_000) return `${sign}${(size / 1_000).toFixed(3)} s`;
  const seconds = Math.floor(size / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  const rest = `${two(minutes)}:${two(seconds % 60)}`;
  return hours === 0 ? `${sign}${rest}` : `${sign}${hours}:${rest}`;
}

/** The label of a tick: as short as the step allows. */
export function tickLabel(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${ms / 1_000} s`;
  const seconds = ms / 1_000;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  if (hours === 0) return `${minutes}:${secondsOf(seconds % 60)}`;
  return seconds % 60 === 0 ? `${hours}:${two(minutes)} h` : `${hours}:${two(minutes)}:${secondsOf(seconds % 60)}`;
}

function secondsOf(seconds: number): string {
  return Number.isInteger(seconds) ? two(seconds) : seconds.toFixed(3).padStart(6, '0');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** UTC, as in records: `2026-03-01 12:00:00.000`. */
export function utc(time: string): string {
  return time.replace('T', ' ').replace(/Z$/, '');
}

/** `agent:helper for alice@local`. */
export function chain(principal: string | null, onBehalfOf: readonly string[]): string {
  return principal === null ? 'nobody known' : [principal, ...onBehalfOf].join(' for ');
}
