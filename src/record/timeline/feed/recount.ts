// Finds events that reached Prefect long after they occurred: counts the last week hour by hour, in Prefect and in the ledger.
import type { Intake } from './intake.ts';
import { isLong, type Pages } from './pages.ts';

const HOUR_MS = 3_600_000;
/** Prefect's default retention of events. */
const WEEK_MS = 7 * 24 * HOUR_MS;
/** The load of one round: a week takes about four minutes. */
const HOURS_AT_ONCE = 4;

/** Counts of the stored events (ledger/prefect-events/count-events.ts). */
export interface StoredCounts {
  /** Both ends included. */
  count(sinceMs: number, untilMs: number): number;
  /** The time of the oldest stored batch. Retention deleted earlier ones. Undefined: there are none. */
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
  /** Starts a count from now back to a week ago. A running count ends first: late events may be in any hour. */
  begin(untilMs: number): void;
  /** Counts some hours. Throws the errors of `pages` and SQLite; the next call tries them again. */
  step(): Promise<void>;
}

interface Week {
  readonly sinceMs: number;
  /** The end of the uncounted part. */
  untilMs: number;
}

/** If the counts of an hour differ, it reads the whole hour. Known events are not stored twice. */
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
