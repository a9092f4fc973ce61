// Compares another machine's clock with this one's: tokens, sessions and certificates depend on time.
import { fail, ok, type Verdict, warn } from '../finding.ts';
import type { ProbeAnswer } from './http-probe.ts';

const MOST_MS = 30_000;

/** Uses the Date header, which has whole seconds. */
export function checkClock(whose: string, { headers, atMs }: Pick<ProbeAnswer, 'headers' | 'atMs'>): Verdict {
  const theirs = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(theirs)) return warn(`${whose} sends no Date header, so its clock cannot be compared`, 'Compare it by hand: date -u on both machines.');
  const offMs = theirs - atMs;
  if (Math.abs(offMs) <= MOST_MS) return ok(`the clock of ${whose} agrees with this machine's`);
  const seconds = Math.round(Math.abs(offMs) / 1000);
  return fail(
    `the clock of ${whose} is ${seconds} s ${offMs > 0 ? 'ahead of' : 'behind'} this machine's`,
    'Synchronise both by NTP. timedatectl status on each machine shows which one is wrong.',
  );
}
