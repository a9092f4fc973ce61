// How long a run's token holds.

export const RUN_TOKEN_TIMES = {
  /** After the run's end: its last logs, events and states of task runs are on their way. */
  graceMs: 60_000,
  /** Whatever happens; each look at a run that goes on begins it anew. */
  lifeMs: 24 * 3_600_000,
  /** An end of which the gateway was not told (Prefect's own, or round the gateway) is seen after this. */
  lookEveryMs: 5_000,
  /** Nothing is decided on one for longer; open sockets are decided again then. */
  decideEveryMs: 30_000,
} as const;

/** A clock that is corrected by less takes nothing from a run that has just ended. */
const CORRECTION_MS = 5_000;

/** No end of a run is set further ahead than the grace: one that lies there was set by a clock that has been put back since, and has come. */
export function hasEnded({ endedMs, expiresMs }: { readonly endedMs: number | null; readonly expiresMs: number }, nowMs: number): boolean {
  if (expiresMs <= nowMs) return true;
  return endedMs !== null && (endedMs <= nowMs || endedMs - nowMs > RUN_TOKEN_TIMES.graceMs + CORRECTION_MS);
}
