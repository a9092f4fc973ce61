// Counts repeated refusals, and different ones of one principal, in few events: a run's page in Prefect shows fifty events.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import type { Refusal, Repeated } from './memory.ts';

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** For each principal and run. A run can ask for any host names, so further kinds share one event. */
const MOST_KINDS = 10;
/** Beyond this number the oldest entry is dropped, with its count. */
const MOST = 1_000;

export interface Coalesced {
  readonly record: Refusal;
  readonly count: number;
  /** True: several kinds, `record` is the last one. */
  readonly mixed: boolean;
}

export interface Coalescer {
  /** An event to send now. Undefined: the refusal is counted. */
  take(record: Refusal, nowMs: number): Coalesced | undefined;
  /** Counted refusals whose time has come. */
  due(nowMs: number): readonly Coalesced[];
  /** The state to store for a restart. */
  open(): readonly Repeated[];
}

/** Sends the first refusal at once, further ones after a minute, two, four, up to an hour. Further kinds begin with the first minute's end. */
export function createCoalescer(known: readonly Repeated[] = []): Coalescer {
  const open = new LRUCache<string, Repeated>(atMostEntries(MOST));
  for (const one of known) open.set(one.mixed ? mixedKeyOf(one.last) : keyOf(one.last), { ...one });
  const isCrowded = (record: Refusal): boolean => {
    const kinds = [...open.values()].filter(({ last, mixed }) => !mixed && mixedKeyOf(last) === mixedKeyOf(record));
    return kinds.length >= MOST_KINDS;
  };
  return {
    take(record, nowMs) {
      const own = keyOf(record);
      const mixed = !open.has(own) && isCrowded(record);
      const key = mixed ? mixedKeyOf(record) : own;
      const repeated = open.peek(key);
      if (repeated !== undefined) {
        repeated.count += 1;
        repeated.last = record;
        return undefined;
      }
      open.set(key, { untilMs: nowMs + FIRST_MS, windowMs: FIRST_MS, count: mixed ? 1 : 0, last: record, mixed });
      return mixed ? undefined : { record, count: 1, mixed };
    },
    due(nowMs) {
      const coalesced: Coalesced[] = [];
      for (const [key, { value: repeated }] of open.dump()) {
        if (repeated.untilMs > nowMs) continue;
        if (repeated.count === 0) {
          open.delete(key);
          continue;
        }
        coalesced.push({ record: repeated.last, count: repeated.count, mixed: repeated.mixed });
        repeated.count = 0;
        repeated.windowMs = Math.min(repeated.windowMs * 2, LONGEST_MS);
        repeated.untilMs = nowMs + repeated.windowMs;
      }
      return coalesced;
    },
    open: () => open.dump().map(([, { value }]) => ({ ...value })),
  };
}

function keyOf({ flow_run_id: run, principal, action, reason }: Refusal): string {
  return JSON.stringify([run, principal, action, reason]);
}

function mixedKeyOf({ flow_run_id: run, principal }: Refusal): string {
  return JSON.stringify([run, principal]);
}
