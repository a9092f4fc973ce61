// Prefect's objects as decisions see them: uncached, and cached for a few seconds.
import type { SteadyClock } from '../../contract/clock.ts';
import { createEntities, type Entities, type EntityParts } from './entities.ts';
import { createLookup } from './lookup.ts';
import { createObjectCache, type ObjectCache } from './object-cache.ts';
import { createRunLineage, type LineageMemory, type RunLineage } from './run-lineage.ts';
import type { Upstream } from './upstream.ts';

interface Both<T> {
  readonly recent: T;
  readonly now: T;
}

export interface ObjectParts {
  readonly upstream: Pick<Upstream, 'request'>;
  readonly steady: SteadyClock;
  readonly makerOf: EntityParts['makerOf'];
  readonly lineageMemory: LineageMemory;
}

export function openObjects({ upstream, steady, makerOf, lineageMemory }: ObjectParts): {
  readonly objects: ObjectCache;
  readonly entities: Both<Entities>;
  readonly lineage: Both<RunLineage>;
} {
  const lookup = createLookup(upstream);
  const objects = createObjectCache(lookup, steady);
  const common = { lasting: objects.lookup, makerOf };
  return {
    objects,
    entities: { recent: createEntities({ ...common, lookup: objects.lookup }), now: createEntities({ ...common, lookup }) },
    lineage: { recent: createRunLineage(objects.lookup, lineageMemory), now: createRunLineage(lookup, lineageMemory) },
  };
}
