// Time as an argument, so that tests own it.

/** Answers epoch milliseconds. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
