// The lifetimes of a run's token.

export const RUN_TOKEN_TIMES = {
  /** After the run's end, for its last logs, events and states of task runs. */
  graceMs: 60_000,
  /** In any case. Each check of a running run starts it again. */
  lifeMs: 24 * 3_600_000,
  /** Lictor sees an end after this time if it was not reported (an end by Prefect itself, or past the gateway). */
  lookEveryMs: 5_000,
  /** The longest lifetime of a decision. Open sockets are decided again after it. */
  decideEveryMs: 30_000,
} as const;

/** A smaller correction of the clock does not shorten the grace of a run that has just ended. */
const CORRECTION_MS = 5_000;

/** No end is set further ahead than the grace. If one is, the clock was put back since, and the end has passed. */
export function hasEnded({ endedMs, expiresMs }: { readonly endedMs: number | null; readonly expiresMs: number }, nowMs: number): boolean {
  if (expiresMs <= nowMs) return true;
  return endedMs !== null && (endedMs <= nowMs || endedMs - nowMs > RUN_TOKEN_TIMES.graceMs + CORRECTION_MS);
}
