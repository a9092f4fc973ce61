// How long to wait before a dead child is started again.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
  /** A child that lived this long was well: the next wait is the first again. */
  readonly wellAfterMs: number;
}

export const BACKOFF: BackoffLimits = { firstMs: 50, longestMs: 5000, wellAfterMs: 30_000 };

/** Called with the life of the child that has just ended; answers the wait. Doubles from `firstMs` to `longestMs`. */
export type Backoff = (livedMs: number) => number;

export function createBackoff(limits: BackoffLimits = BACKOFF): Backoff {
  let nextMs = limits.firstMs;
  return (livedMs) => {
    const waitMs = livedMs >= limits.wellAfterMs ? limits.firstMs : nextMs;
    nextMs = Math.min(waitMs * 2, limits.longestMs);
    return waitMs;
  };
}
