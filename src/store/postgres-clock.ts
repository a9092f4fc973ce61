// The clock of a node, corrected by the clock of Postgres: all nodes that share a store agree on the time.
import { type Kysely, sql } from 'kysely';
import { type Clock, steadyClock, systemClock } from '../contract/clock.ts';
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
  let offsetMs = 0;
  const measure = async (): Promise<void> => {
    const measured = await offsetOf(db, clock);
    if (Math.abs(measured.offsetMs - offsetMs) > TOLERATED_MS + measured.tookMs / 2) offsetMs = measured.offsetMs;
  };
  await measure();
  let last = Promise.resolve();
  const timer = setInterval(() => {
    // Without an answer, the last offset stays.
    last = measure().catch(() => undefined);
  }, MEASURED_EVERY_MS).unref();
  return {
    clock: () => clock() + offsetMs,
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
