// Clocks as arguments, so that tests set them: the wall clock, which may step back or ahead when it is corrected, and a steady clock.

/** Answers epoch milliseconds. */
export type Clock = () => number;

/** An end that has passed, even if the clock is set back. With the current time as its end, a credential would be valid again then. */
export const AT_ONCE = 0;

/**
 * How long a row stays after its end if Lictor must not delete it early: the clock may step ahead for a moment, and be set back after the deletion.
 */
export const RETENTION_AFTER_END_MS = 24 * 3_600_000;

export const systemClock: Clock = () => Date.now();

/**
 * Milliseconds since a moment before this process. It never steps back, whatever happens to the wall clock. Use it only for intervals within this
 * process: never store or print it, or compare it with another time (of a token, a provider, nginx, a record). It begins near 0, so "never" is
 * undefined or minus infinity, and not 0. It stops while the machine sleeps: a limit that includes sleep needs the wall clock too.
 */
export type SteadyClock = Clock;

export const steadyClock: SteadyClock = () => performance.now();
