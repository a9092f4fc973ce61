// Time as an argument, so that tests own it. There are two: the wall clock, which is put right now and then and may step back or leap ahead, and a steady one.

/** Answers epoch milliseconds. */
export type Clock = () => number;

/** An end that has come, whatever the clock will say: what ends at the time of the moment holds again when the clock is put back. */
export const AT_ONCE = 0;

/**
 * So long after its end a row stays that must not be forgotten early: the clock may leap ahead for a moment, and what was thrown away in it
 * would be missing when it is put back.
 */
export const KEPT_AFTER_END_MS = 24 * 3_600_000;

export const systemClock: Clock = () => Date.now();

/**
 * Milliseconds since some moment before this process: only ever forward, whatever is done to the wall clock. For intervals within this process
 * alone: never stored, shown, or compared with a time of another party (a token's, a provider's, nginx's, a record's). It begins near 0, so
 * that "never" is undefined or minus infinity, and not 0. It stands still while the machine sleeps: what must not outlive that asks the wall clock too.
 */
export type SteadyClock = Clock;

export const steadyClock: SteadyClock = () => performance.now();
