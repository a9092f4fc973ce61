// Finds which of these objects the scopes cover, with one request to Prefect for each kind.
import type { ResourceType } from '../../contract/operation.ts';
import { flowIds } from './flows.ts';
import { AUTOMATIONS, BLOCKS, coveredItems, LIMITS, type Named, VARIABLES, WORK_POOLS, WORK_QUEUES } from './named.ts';
import { artifactIds, deploymentsOf, type Found, idsIn, runIds, type ScopeFilter, taskRunIds } from './scope-filter.ts';

type ByIds = (scopeFilter: ScopeFilter, ids: readonly string[]) => Promise<Found<string>>;

const KINDS: Readonly<Partial<Record<ResourceType, ByIds>>> = {
  FlowRun: (scopeFilter, ids) => runIds(scopeFilter, { flow_runs: { id: { any_: ids } } }),
  TaskRun: taskRunIds,
  Artifact: artifactIds,
  Flow: (scopeFilter, ids) => flowIds(scopeFilter, { id: { any_: ids } }),
  Deployment: async (scopeFilter, ids) => idsIn(await deploymentsOf(scopeFilter, { deployments: { id: { any_: ids } } })),
  WorkPool: named(WORK_POOLS),
  WorkQueue: named(WORK_QUEUES),
  Variable: named(VARIABLES),
  BlockDocument: named(BLOCKS),
  Automation: named(AUTOMATIONS),
  ConcurrencyLimit: named(LIMITS),
};

/** The covered ones of `ids`. Empty for a kind without an entry, and when Prefect's list exceeds the bounds. */
export async function coveredIds(scopeFilter: ScopeFilter, type: ResourceType, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const ask = KINDS[type];
  const found = ask === undefined || ids.length === 0 ? undefined : await ask(scopeFilter, ids);
  if (found === undefined || !found.ok) return new Set();
  const covered = new Set(found.items);
  return new Set(ids.filter((id) => covered.has(id)));
}

function named(kind: Named): ByIds {
  return async (scopeFilter) => idsIn(await coveredItems(scopeFilter, kind));
}
