// The clock of a node, corrected by the clock of Postgres: all nodes that share a store agree on the time.
import { type Kysely, sql } from 'kysely';
import { type Clock, type SteadyClock, steadyClock, systemClock } from '../contract/clock.ts';
import type { Tables } from './tables.ts';

const MEASURED_EVERY_MS = 5_000;
/** Clocks that NTP sets differ by less, and a slow network makes the measurement inexact by half of its time. */
const TOLERATED_MS = 500;

interface CorrectedClock {
  readonly clock: Clock;
  stop(): Promise<void>;
}

/** Only the clock of the system is corrected: a given time stays as it is. */
export async function correctedClock(db: Kysely<Tables>, clock: Clock): Promise<CorrectedClock> {
  if (clock !== systemClock) return { clock, stop: async () => undefined };
  return await followClock({ clock, steady: steadyClock, offset: () => offsetOf(db, clock) });
}

interface FollowParts {
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** Of Postgres's clock to this one. */
  readonly offset: () => Promise<{ readonly offsetMs: number; readonly tookMs: number }>;
}

/** A step of the clock is measured at once. Otherwise records of the next seconds would have a wrong time: by the former offset. */
export async function followClock({ clock, steady, offset }: FollowParts): Promise<CorrectedClock> {
  let offsetMs = 0;
  let aheadMs = clock() - steady();
  const measure = async (): Promise<void> => {
    const measured = await offset();
    if (Math.abs(measured.offsetMs - offsetMs) > TOLERATED_MS + measured.tookMs / 2) offsetMs = measured.offsetMs;
  };
  await measure();
  let last = Promise.resolve();
  const measureSoon = (): void => {
    // Without an answer, the last offset stays.
    last = measure().catch(() => undefined);
  };
  const timer = setInterval(measureSoon, MEASURED_EVERY_MS).unref();
  return {
    clock: () => {
      const nowMs = clock();
      const stepMs = nowMs - steady() - aheadMs;
      aheadMs += stepMs;
      if (Math.abs(stepMs) > TOLERATED_MS) measureSoon();
      return nowMs + offsetMs;
    },
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}

async function offsetOf(db: Kysely<Tables>, clock: Clock): Promise<{ readonly offsetMs: number; readonly tookMs: number }> {
  const begunMs = steadyClock();
  const { rows } = await sql<{ readonly ms: number }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(db);
  const tookMs = steadyClock() - begunMs;
  return { offsetMs: Math.round((rows[0]?.ms ?? clock()) + tookMs / 2 - clock()), tookMs };
}
