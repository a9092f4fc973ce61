// Asks Prefect what occurred, and takes what has not come by a stream: the proof that nothing is missing.
import { SETTLE_MS } from './behind.ts';
import type { Intake } from './intake.ts';
import { isLong, type Pages } from './pages.ts';

/** Clocks differ and clients send late: this much of what was complete is counted again. What comes later still: recount.ts. */
const OVERLAP_MS = 10 * 60_000;

export interface CatchUpParts {
  readonly pages: Pages;
  readonly intake: Intake;
  readonly clock: () => number;
  /** Only tests have another. */
  readonly settleMs?: number;
}

/** While a stream was away Prefect may have told it what it never wrote down: numbers alone prove nothing about that time. */
export interface Doubt {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * One round: from what is complete to a moment ago. Counts first, so that a round in which nothing is missing is one small question.
 * What is in doubt is read whole. Call the result again and again; it throws what `pages` do.
 */
export function createCatchUp({ pages, intake, clock, settleMs = SETTLE_MS }: CatchUpParts): (doubt?: Doubt) => Promise<void> {
  /** Of events that cannot be read, or that Prefect counts otherwise: they are not looked for again and again. */
  let unreadable = 0;

  async function window(sinceMs: number, untilMs: number, doubt: Doubt | undefined): Promise<number> {
    const total = await pages.count(sinceMs, untilMs);
    if (isLong(total, sinceMs, untilMs)) return window(sinceMs, sinceMs + Math.ceil((untilMs - sinceMs) / 2), doubt);
    const missing = () => total - intake.known(sinceMs, untilMs);
    const isDoubted = doubt !== undefined && sinceMs <= doubt.untilMs && untilMs >= doubt.fromMs;
    // In a flood it is forgotten what has just come: then numbers say nothing. What is stored already is not stored twice.
    const isForgotten = sinceMs < intake.knownSinceMs();
    if (isDoubted || isForgotten || missing() > unreadable) await pages.read(sinceMs, untilMs, intake.take);
    if (!isForgotten) unreadable = Math.max(0, missing());
    return untilMs;
  }

  return async (doubt) => {
    const targetMs = clock() - settleMs;
    // A leap ahead has it that all is complete up to there: until the clock had come so far again, nothing would be asked for.
    if (intake.positionMs() > targetMs) intake.fallBack(targetMs - OVERLAP_MS);
    // Never behind what is complete, however little is known of it.
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
