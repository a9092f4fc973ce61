// The wait before an ended child is restarted.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
  /** After a child lived this long, the next wait is the first one again. */
  readonly wellAfterMs: number;
}

export const BACKOFF: BackoffLimits = { firstMs: 50, longestMs: 5000, wellAfterMs: 30_000 };

/** Gets the life time of the ended child, returns the wait. Doubles from `firstMs` to `longestMs`. */
export type Backoff = (livedMs: number) => number;

export function createBackoff(limits: BackoffLimits = BACKOFF): Backoff {
  let nextMs = limits.firstMs;
  return (livedMs) => {
    const waitMs = livedMs >= limits.wellAfterMs ? limits.firstMs : nextMs;
    nextMs = Math.min(waitMs * 2, limits.longestMs);
    return waitMs;
  };
}
