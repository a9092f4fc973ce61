// What init found: problems and hints that matter now, and what to do when the gateway runs.
import type { Verdict } from '../doctor/finding.ts';

export interface Seen {
  readonly now: readonly Verdict[];
  /** Usual before the gateway runs, such as clients that use Prefect directly. */
  readonly later: readonly Verdict[];
}

/** A verdict that stops init. */
export function failed({ now }: Pick<Seen, 'now'>): boolean {
  return now.some(({ status }) => status === 'fail');
}

/** What could not be checked is no fault of the server: a busy Prefect, a provider without Date header. */
export function sorted(verdicts: readonly Verdict[]): Seen {
  const isUnchecked = ({ status, message }: Verdict): boolean => status === 'warn' && /could not be checked|cannot be compared/.test(message);
  return { now: verdicts.filter((verdict) => !isUnchecked(verdict)), later: verdicts.filter(isUnchecked) };
}
