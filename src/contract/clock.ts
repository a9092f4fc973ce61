// Time as an argument, so that tests own it.

/** Answers epoch milliseconds. */
export type Clock = () => number;

/** An end that has come, whatever the clock will say: what ends at the time of the moment holds again when the clock is put back. */
export const AT_ONCE = 0;

export const systemClock: Clock = () => Date.now();
