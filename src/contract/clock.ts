// Time as an argument, so that tests own it.

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
