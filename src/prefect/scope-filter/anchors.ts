// What an event that a scoped principal sees can name, as ids of resources: with these Prefect's own event filter is narrowed.
//
// More than what is seen passes it (a flow that two teams share), so events.ts looks at each event behind it. Without it a client could
// learn from pages that are empty how many events of others match its filter.
import { coveredIds } from './covered-ids.ts';
import { flowIds } from './flows.ts';
import { AUTOMATIONS, BLOCKS, coveredItems, LIMITS, type Named, VARIABLES, WORK_POOLS } from './named.ts';
import { deploymentsOf, type Found, newestRuns, type ScopeFilter, textOf } from './scope-filter.ts';

const NAMED: Readonly<Record<string, Named>> = {
  'work-pool': WORK_POOLS,
  variable: VARIABLES,
  'block-document': BLOCKS,
  automation: AUTOMATIONS,
  'concurrency-limit': LIMITS,
};

/** They travel in the address of the next page: uvicorn takes 64 KiB of it. */
const MOST_ANCHORS = 400;
/** Of runs that are one's own, which have no tag in common: the newest. */
const MOST_MADE = 200;
/** What the gateway says of a run, as `lictor.run.started-by`, names the run alone. */
const MOST_NEWEST = 200;

/** `runs`: flow runs that the client's own filter names; those that are covered count too. */
export async function anchorsOf(scopeFilter: ScopeFilter, runs: readonly string[]): Promise<Found<string>> {
  const inRuns = await ofDeployments(scopeFilter);
  if (!inRuns.ok) return inRuns;
  const covered = await coveredIds(scopeFilter, 'FlowRun', runs);
  const created = scopeFilter.scopes.some(({ own }) => own) ? (await scopeFilter.createdBy('FlowRun')).slice(0, MOST_MADE) : [];
  const anchors = [...tagsOf(scopeFilter).map((tag) => `prefect.tag.${tag}`), ...[...covered, ...created].map((id) => `prefect.flow-run.${id}`)];
  for (const [kind, named] of Object.entries(NAMED)) {
    const found = await coveredItems(scopeFilter, named);
    if (!found.ok) return found;
    anchors.push(...found.items.map((item) => `prefect.${kind}.${textOf(item, 'id')}`));
  }
  const all = [...new Set([...anchors, ...inRuns.items])];
  if (all.length <= MOST_ANCHORS) return withNewestRuns(scopeFilter, all);
  // With tags, runs are found by them: what is missed are the events of deployments and flows themselves.
  const byTags = scopeFilter.scopes.every((scope) => scope.tags !== null) && anchors.length <= MOST_ANCHORS;
  return byTags ? { ok: true, items: anchors } : { ok: false, refusal: { code: 'scope-too-wide' } };
}

async function withNewestRuns(scopeFilter: ScopeFilter, anchors: readonly string[]): Promise<Found<string>> {
  const runs = await newestRuns(scopeFilter, Math.min(MOST_NEWEST, MOST_ANCHORS - anchors.length));
  return runs.ok ? { ok: true, items: [...new Set([...anchors, ...runs.items.map((id) => `prefect.flow-run.${id}`)])] } : runs;
}

function tagsOf({ scopes }: ScopeFilter): readonly string[] {
  return [...new Set(scopes.flatMap((scope) => scope.tags ?? []))];
}

async function ofDeployments(scopeFilter: ScopeFilter): Promise<Found<string>> {
  const deployments = await deploymentsOf(scopeFilter, {});
  if (!deployments.ok) return deployments;
  const flows = await flowIds(scopeFilter, undefined);
  if (!flows.ok) return flows;
  const named = deployments.items.map((item) => `prefect.deployment.${textOf(item, 'id')}`);
  return { ok: true, items: [...named, ...flows.items.map((id) => `prefect.flow.${id}`)] };
}
