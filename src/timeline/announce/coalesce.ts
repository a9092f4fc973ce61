// The same refusal again and again is one event now and then, with a count: a run's page in Prefect shows fifty events.
import type { Refusal, Repeated } from './memory.ts';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** Beyond it the oldest is forgotten, with what it counted. */
const MOST = 1_000;

export interface Coalesced {
  readonly record: Refusal;
  readonly count: number;
}

export interface Coalescer {
  /** What is to be told now; undefined: it is counted. */
  take(record: Refusal, nowMs: number): Coalesced | undefined;
  /** What was counted and is due. */
  due(nowMs: number): readonly Coalesced[];
  /** To go on from, after a restart. */
  open(): readonly Repeated[];
}

/** Told at once, then after a minute, two, four, up to an hour, as long as it goes on. */
export function createCoalescer(known: readonly Repeated[] = []): Coalescer {
  const open = new Map(known.map((one) => [keyOf(one.last), { ...one }]));
  return {
    take(record, nowMs) {
      const key = keyOf(record);
      const repeated = open.get(key);
      if (repeated !== undefined) {
        repeated.count += 1;
        repeated.last = record;
        return undefined;
      }
      open.set(key, { untilMs: nowMs + FIRST_MS, windowMs: FIRST_MS, count: 0, last: record });
      const oldest = open.size > MOST ? open.keys().next().value : undefined;
      if (oldest !== undefined) open.delete(oldest);
      return { record, count: 1 };
    },
    due(nowMs) {
      const told: Coalesced[] = [];
      for (const [key, repeated] of open) {
        if (repeated.untilMs > nowMs) continue;
        if (repeated.count === 0) {
          open.delete(key);
          continue;
        }
        told.push({ record: repeated.last, count: repeated.count });
        repeated.count = 0;
        repeated.windowMs = Math.min(repeated.windowMs * 2, LONGEST_MS);
        repeated.untilMs = nowMs + repeated.windowMs;
      }
      return told;
    },
    open: () => [...open.values()].map((one) => ({ ...one })),
  };
}

function keyOf({ flow_run_id: run, principal, action, reason }: Refusal): string {
  return JSON.stringify([run, principal, action, reason]);
}
