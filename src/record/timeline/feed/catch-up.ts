// Compares Prefect's event count with Lictor's, and fetches what the streams missed.
import { SETTLE_MS } from './behind.ts';
import type { Intake } from './intake.ts';
import { isLong, type Pages } from './pages.ts';

/** Clocks differ and clients send late, so this much of the complete time is counted again. recount.ts finds later events. */
const OVERLAP_MS = 10 * 60_000;

export interface CatchUpParts {
  readonly pages: Pages;
  readonly intake: Intake;
  readonly clock: () => number;
  readonly settleMs?: number;
}

/** While a stream was closed, Prefect may have streamed events that it never wrote. Counts prove nothing about that time. */
export interface Doubt {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * One round, from the complete part up to a moment ago. It counts first, and reads events only if some are missing. It reads a doubtful time whole. Throws
 * the errors of `pages`.
 */
export function createCatchUp({ pages, intake, clock, settleMs = SETTLE_MS }: CatchUpParts): (doubt?: Doubt) => Promise<void> {
  /** Events that Lictor cannot read or Prefect counts differently. They are not fetched again in each round. */
  let unreadable = 0;

  async function window(sinceMs: number, untilMs: number, doubt: Doubt | undefined): Promise<number> {
    const total = await pages.count(sinceMs, untilMs);
    if (isLong(total, sinceMs, untilMs)) return window(sinceMs, sinceMs + Math.ceil((untilMs - sinceMs) / 2), doubt);
    const missing = () => total - intake.known(sinceMs, untilMs);
    const isDoubted = doubt !== undefined && sinceMs <= doubt.untilMs && untilMs >= doubt.fromMs;
    // In a flood, ids of new events are forgotten, so counts prove nothing. Known events are not stored twice.
    const isForgotten = sinceMs < intake.knownSinceMs();
    if (isDoubted || isForgotten || missing() > unreadable) await pages.read(sinceMs, untilMs, intake.take);
    if (!isForgotten) unreadable = Math.max(0, missing());
    return untilMs;
  }

  return async (doubt) => {
    const targetMs = clock() - settleMs;
    // The clock went back. Otherwise Lictor would fetch nothing until the clock reached the old time.
    if (intake.positionMs() > targetMs) intake.fallBack(targetMs - OVERLAP_MS);
    // Never later than the complete part, even if few ids are known.
    const againMs = Math.max(intake.positionMs() - OVERLAP_MS, Math.min(intake.knownSinceMs(), intake.positionMs()));
    let sinceMs = Math.min(againMs, doubt?.fromMs ?? Number.MAX_SAFE_INTEGER);
    while (sinceMs < targetMs) {
      const untilMs = await window(sinceMs, targetMs, doubt);
      await intake.stored();
      intake.advance(untilMs);
      sinceMs = untilMs;
    }
  };
}
