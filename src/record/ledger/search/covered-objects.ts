// Asks Prefect which objects the restrictions of a reader cover, by the same requests that narrow Prefect's lists.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import type { SteadyClock } from '../../../contract/clock.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import { coveredItems, WORK_POOLS } from '../../../prefect/scope-filter/named.ts';
import { idsIn, type ScopeFilter, type VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { createVisibleIds } from '../../../prefect/scope-filter/visible-ids.ts';
import { extentOf } from './record-filter.ts';

export type CoveredObjects = (reader: RecordReader) => VisibleIds;

interface Parts extends Omit<ScopeFilter, 'restrictions'> {
  readonly steady: SteadyClock;
}

/** A page and the next one of the same reader ask about the same objects. */
const FOR_MS = 10_000;
const READERS = 50;

export function createCoveredObjects({ steady, ...parts }: Parts): CoveredObjects {
  const known = new LRUCache<string, VisibleIds>(atMostEntries(READERS));
  const visibleIdsOf = (restrictions: ScopeFilter['restrictions']): VisibleIds => {
    const key = JSON.stringify(restrictions);
    const visible = known.get(key) ?? createVisibleIds({ ...parts, restrictions }, { steady, forMs: FOR_MS });
    known.set(key, visible);
    return visible;
  };
  return (reader) => async (type, ids) => {
    const restrictions = extentOf(reader, type);
    if (restrictions === null) return new Set();
    if (restrictions.length === 0) return new Set(ids);
    return type === 'WorkPool' ? coveredPools({ ...parts, restrictions }, ids) : visibleIdsOf(restrictions)(type, ids);
  };
}

/** Records name work pools by their names. */
async function coveredPools(scopeFilter: ScopeFilter, names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = idsIn(await coveredItems(scopeFilter, WORK_POOLS), 'name');
  const covered = new Set(found.ok ? found.items : []);
  return new Set(names.filter((name) => covered.has(name)));
}
