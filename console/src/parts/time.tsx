const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** "3 min. ago", "in 2 hr.". */
export function relativeTime(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** `2026-12-02 14:03:27 UTC`. */
export function utc(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-12-02 14:03:27.418 UTC`, where one second has several. */
export function exact(iso: string): string {
  return `${iso.slice(0, 23).replace('T', ' ').replace(/Z$/, '')} UTC`;
}

interface TimeProps {
  readonly iso: string;
  readonly relative?: boolean;
  readonly isExact?: boolean;
}

/** A time of the API, in UTC as in every record. `relative`: how long ago, with the time as its title. `isExact`: with milliseconds. */
export function Time({ iso, relative = false, isExact = false }: TimeProps) {
  const whole = isExact ? exact(iso) : utc(iso);
  return (
    <time dateTime={iso} title={relative ? whole : undefined}>
      {relative ? relativeTime(Date.parse(iso), Date.now()) : whole}
    </time>
  );
}
