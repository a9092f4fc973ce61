// The same refusal again and again is one event now and then, with a count: a run's page in Prefect shows fifty events.
import type { NewRecord } from '../../contract/record.ts';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** Beyond it the oldest is forgotten, with what it counted. */
const MOST = 1_000;

export interface Coalesced {
  readonly record: NewRecord;
  readonly count: number;
}

export interface Coalescer {
  /** What is to be told now; undefined: it is counted. */
  take(record: NewRecord, nowMs: number): Coalesced | undefined;
  /** What was counted and is due. */
  due(nowMs: number): readonly Coalesced[];
}

interface Repeated {
  untilMs: number;
  windowMs: number;
  count: number;
  last: NewRecord;
}

/** Told at once, then after a minute, two, four, up to an hour, as long as it goes on. */
export function createCoalescer(): Coalescer {
  const open = new Map<string, Repeated>();
  return {
    take(record, nowMs) {
      const key = JSON.stringify([record.flow_run_id, record.principal, record.action, record.reason]);
      const known = open.get(key);
      if (known !== undefined) {
        known.count += 1;
        known.last = record;
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
  };
}
