// Caches which objects a principal may see: pages and streams ask about the same few objects repeatedly.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import { coveredIds } from './covered-ids.ts';
import type { ScopeFilter, VisibleIds } from './scope-filter.ts';

export interface Memory {
  readonly steady: SteadyClock;
  readonly forMs: number;
}

const CAPACITY = 20_000;

/** Throws when Prefect does not answer, and caches nothing then. */
export function createVisibleIds(scopeFilter: ScopeFilter, { steady, forMs }: Memory): VisibleIds {
  const known = new LRUCache<string, { readonly isCovered: boolean; readonly untilMs: number }>(atMostEntries(CAPACITY));
  return async (type, ids) => {
    const now = steady();
    const open = ids.filter((id) => (known.get(`${type} ${id}`)?.untilMs ?? 0) <= now);
    if (open.length > 0) {
      const covered = await coveredIds(scopeFilter, type, open);
      for (const id of open) known.set(`${type} ${id}`, { isCovered: covered.has(id), untilMs: now + forMs });
      return new Set(ids.filter((id) => (open.includes(id) ? covered.has(id) : known.get(`${type} ${id}`)?.isCovered === true)));
    }
    return new Set(ids.filter((id) => known.get(`${type} ${id}`)?.isCovered === true));
  };
}
