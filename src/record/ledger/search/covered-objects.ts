// Asks Prefect which objects the restrictions of a reader cover, by the same requests that narrow Prefect's lists.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../contract/cache-limit.ts';
import type { SteadyClock } from '../../../contract/clock.ts';
import { readsAsUuid } from '../../../contract/json/uuid.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import type { RecordReader } from '../../../contract/record-reader.ts';
import { coveredItems, type Named, VARIABLES, WORK_POOLS } from '../../../prefect/scope-filter/named.ts';
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
    const kind = BY_NAME[type];
    if (kind === undefined) return visibleIdsOf(restrictions)(type, ids);
    const { names = [], uuids = [] } = Object.groupBy(ids, (id) => (type === 'WorkPool' || !readsAsUuid(id) ? 'names' : 'uuids'));
    return new Set([...(await coveredNames({ ...parts, restrictions }, kind, names)), ...(await visibleIdsOf(restrictions)(type, uuids))]);
  };
}

/** Records name work pools by their names, and variables often. A name that reads as an id counts as the id: another object may have it. */
const BY_NAME: Readonly<Partial<Record<ResourceType, Named>>> = { WorkPool: WORK_POOLS, Variable: VARIABLES };

async function coveredNames(scopeFilter: ScopeFilter, kind: Named, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const found = idsIn(await coveredItems(scopeFilter, kind), 'name');
  const covered = new Set(found.ok ? found.items : []);
  return names.filter((name) => covered.has(name));
}
