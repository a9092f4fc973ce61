// Failed credentials per address. Lictor never rejects a valid one for them: a 401 would end a worker at the same address.
import type { Clock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { createBoundedCounter } from './bounded-counter.ts';

export const FAILURE_LIMITS = { perMinute: 100, addresses: 10_000 } as const;

/** Guesses. A right but expired credential gets its real reason instead, and a browser without its session repeats its requests. */
const GUESSES: readonly ReasonCode[] = ['credential-malformed', 'credential-unknown', 'jwt-malformed', 'jwt-issuer-unknown', 'jwt-signature'];

export interface Failures {
  /** Counts a rejected credential. Returns the reason for the answer: `too-many-failures` for a guess beyond the limit. */
  reasonFor(reason: ReasonCode, address: string): ReasonCode;
}

/** `onGuessing` is called once a minute for an address that continues to guess. */
export function createFailures(steady: Clock, onGuessing: (address: string) => void): Failures {
  const counter = createBoundedCounter(steady, { windowMs: 60_000, keys: FAILURE_LIMITS.addresses });
  return {
    reasonFor(reason, address) {
      if (!GUESSES.includes(reason)) return reason;
      const count = counter.add(guesserKey(address));
      if (count === FAILURE_LIMITS.perMinute + 1) onGuessing(address);
      return count > FAILURE_LIMITS.perMinute ? 'too-many-failures' : reason;
    },
  };
}
