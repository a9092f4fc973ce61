// Which of these objects may a principal see? Asks Prefect once for each kind.
import type { ResourceType } from '../../contract/operation.ts';
import { flowIds } from './flows.ts';
import { AUTOMATIONS, BLOCKS, coveredItems, LIMITS, type Named, VARIABLES, WORK_POOLS, WORK_QUEUES } from './named.ts';
import { artifactIds, deploymentsOf, type Found, runIds, type ScopeFilter, taskRunIds, textOf } from './scope-filter.ts';

type ByIds = (scopeFilter: ScopeFilter, ids: readonly string[]) => Promise<Found<string>>;

const KINDS: Readonly<Partial<Record<ResourceType, ByIds>>> = {
  FlowRun: (scopeFilter, ids) => runIds(scopeFilter, { flow_runs: { id: { any_: ids } } }),
  TaskRun: taskRunIds,
  Artifact: artifactIds,
  Flow: (scopeFilter, ids) => flowIds(scopeFilter, { id: { any_: ids } }),
  Deployment: async (scopeFilter, ids) => {
    const found = await deploymentsOf(scopeFilter, { deployments: { id: { any_: ids } } });
    return found.ok ? { ok: true, items: found.items.map((item) => textOf(item, 'id')) } : found;
  },
  WorkPool: named(WORK_POOLS),
  WorkQueue: named(WORK_QUEUES),
  Variable: named(VARIABLES),
  BlockDocument: named(BLOCKS),
  Automation: named(AUTOMATIONS),
  ConcurrencyLimit: named(LIMITS),
};

/** Those of `ids` that are covered; none of another kind, and none where Prefect does not say. */
export async function coveredIds(scopeFilter: ScopeFilter, type: ResourceType, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const ask = KINDS[type];
  const found = ask === undefined || ids.length === 0 ? undefined : await ask(scopeFilter, ids);
  if (found === undefined || !found.ok) return new Set();
  const covered = new Set(found.items);
  return new Set(ids.filter((id) => covered.has(id)));
}

function named(kind: Named): ByIds {
  return async (scopeFilter) => {
    const found = await coveredItems(scopeFilter, kind);
    return found.ok ? { ok: true, items: found.items.map((item) => textOf(item, 'id')) } : found;
  };
}
