// Events that Prefect got long after they occurred, while no stream was open: the week before is counted again, hour by hour, in Prefect and here.
import type { Intake } from './intake.ts';
import { isLong, type Pages } from './pages.ts';

const HOUR_MS = 3_600_000;
/** So long Prefect keeps events by default. */
const WEEK_MS = 7 * 24 * HOUR_MS;
/** In one round, so that Prefect hardly feels it: a week takes some four minutes. */
const HOURS_AT_ONCE = 4;

/** Of the stored events (ledger/prefect-events/count-events.ts). */
export interface StoredCounts {
  /** Both ends included. */
  count(sinceMs: number, untilMs: number): number;
  /** Since when events are stored; what retention let go of is before. Undefined: there are none. */
  beganMs(): number | undefined;
  close(): void;
}

export interface RecountParts {
  readonly pages: Pages;
  readonly intake: Pick<Intake, 'take' | 'stored'>;
  readonly openCounts: () => StoredCounts;
  readonly clock: () => number;
}

export interface Recount {
  /** What occurred before is to be counted again, the youngest first; after one that is under way, since what came meanwhile may be anywhere. */
  begin(untilMs: number): void;
  /** Some hours of it. Throws what `pages` and SQLite do; the next call tries them again. */
  step(): Promise<void>;
}

interface Week {
  readonly sinceMs: number;
  /** What is left of it ends here. */
  untilMs: number;
}

/** Where the numbers differ at all the time is read whole: what is there already is not stored twice. */
export function createRecount({ pages, intake, openCounts, clock }: RecountParts): Recount {
  let open: Week | undefined;
  let next: Week | undefined;

  async function compare(sinceMs: number, untilMs: number, counts: StoredCounts): Promise<void> {
    const total = await pages.count(sinceMs, untilMs);
    if (isLong(total, sinceMs, untilMs)) {
      const middle = sinceMs + Math.ceil((untilMs - sinceMs) / 2);
      await compare(middle, untilMs, counts);
      await compare(sinceMs, middle, counts);
    } else if (total !== counts.count(sinceMs, untilMs)) {
      await pages.read(sinceMs, untilMs, intake.take);
      await intake.stored();
    }
  }

  return {
    begin(untilMs) {
      const week = { sinceMs: clock() - WEEK_MS, untilMs };
      if (open === undefined) open = week;
      else next = week;
    },
    async step() {
      if (open === undefined) return;
      const counts = openCounts();
      try {
        const sinceMs = Math.max(open.sinceMs, counts.beganMs() ?? Number.MAX_SAFE_INTEGER);
        for (let hours = 0; hours < HOURS_AT_ONCE && open.untilMs > sinceMs; hours += 1) {
          const fromMs = Math.max(sinceMs, open.untilMs - HOUR_MS);
          await compare(fromMs, open.untilMs, counts);
          open.untilMs = fromMs;
        }
        if (open.untilMs <= sinceMs) [open, next] = [next, undefined];
      } finally {
        counts.close();
      }
    },
  };
}
