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
