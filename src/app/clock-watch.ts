// Detects that the wall clock was set back. nginx ages cached decisions by that clock: one that had two seconds left would live as long as the step.
import type { Clock } from '../contract/clock.ts';

export interface ClockWatchParts {
  readonly clock: Clock;
  readonly steady: Clock;
  /** Ends the use of every cached decision. */
  readonly sweep: () => Promise<void>;
  /** For the log and the terminal. */
  readonly warn: (text: string) => void;
}

/** A clock that is slewed goes back by less than a millisecond in a second; nginx counts in whole ones. */
const LEAST_MS = 1_000;

/** Each call checks once. Rejects if cached decisions may still be in use; the next call tries again. */
export function createClockWatch({ clock, steady, sweep, warn }: ClockWatchParts): () => Promise<void> {
  const ahead = (): number => clock() - steady();
  let aheadMs = ahead();
  let owed = false;
  return async () => {
    const nowMs = ahead();
    const backMs = aheadMs - nowMs;
    aheadMs = nowMs;
    if (backMs >= LEAST_MS) {
      owed = true;
      warn(
        `the clock of this machine was put back by ${Math.round(backMs / 1000)} s: what nginx remembers of decisions is thrown away. Let it be slewed, not stepped.`,
      );
    }
    if (!owed) return;
    await sweep();
    owed = false;
  };
}
