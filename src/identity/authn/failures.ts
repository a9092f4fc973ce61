// Failed credentials per address. A valid one is never refused for it: a 401 would kill a worker behind the same address.
import type { Clock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { createBoundedCounter } from './bounded-counter.ts';

export const FAILURE_LIMITS = { perMinute: 100, addresses: 10_000 } as const;

/** A guess: whoever holds a right but ended credential is told why instead, and a browser that has lost its session asks on. */
const GUESSES: readonly ReasonCode[] = ['credential-malformed', 'credential-unknown', 'jwt-malformed', 'jwt-issuer-unknown', 'jwt-signature'];

export interface Failures {
  /** Counts a refused credential; answers the reason to give, `too-many-failures` for a guess beyond the limit. */
  reasonFor(reason: ReasonCode, address: string): ReasonCode;
}

/** `onGuessing` is called once a minute for an address that goes on guessing. */
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
