// The resource ids that a visible event can name. Lictor adds them to Prefect's event filter.
//
// Some hidden events still pass the filter (a flow that two teams share), so events.ts checks each event afterwards. Without the filter, empty
// pages would reveal to a client how many foreign events match its own filter.
import type { Scope } from '../../contract/scope.ts';
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

/** The address of the next page contains them, and uvicorn accepts 64 KiB. */
const MOST_ANCHORS = 400;
/** The newest of the principal's own runs, which share no tag. */
const MOST_CREATED = 200;
/** Lictor's own events, such as `lictor.run.started-by`, name only the run. */
const MOST_NEWEST = 200;

/** `runs`: flow runs that the client's own filter names. The covered ones become anchors. */
export async function anchorsOf(whole: ScopeFilter, runs: readonly string[]): Promise<Found<string>> {
  // An event that a whole chain sees has an anchor of each of its principals, so those of one suffice.
  const scopeFilter = { ...whole, restrictions: whole.restrictions.slice(0, 1) };
  const inRuns = await ofDeployments(scopeFilter);
  if (!inRuns.ok) return inRuns;
  const covered = await coveredIds(scopeFilter, 'FlowRun', runs);
  const created = await runsCreated(scopeFilter);
  const anchors = [...tagsOf(scopeFilter).map((tag) => `prefect.tag.${tag}`), ...[...covered, ...created].map((id) => `prefect.flow-run.${id}`)];
  for (const [kind, named] of Object.entries(NAMED)) {
    const found = await coveredItems(scopeFilter, named);
    if (!found.ok) return found;
    anchors.push(...found.items.map((item) => `prefect.${kind}.${textOf(item, 'id')}`));
  }
  const all = [...new Set([...anchors, ...inRuns.items])];
  if (all.length <= MOST_ANCHORS) return withNewestRuns(scopeFilter, all);
  // With tags, Prefect finds the runs by them. Then only the events of deployments and flows themselves are missing.
  const byTags = scopesOf(scopeFilter).every((scope) => scope.tags !== null) && anchors.length <= MOST_ANCHORS;
  return byTags ? { ok: true, items: anchors } : { ok: false, refusal: { code: 'scope-too-wide' } };
}

async function withNewestRuns(scopeFilter: ScopeFilter, anchors: readonly string[]): Promise<Found<string>> {
  const runs = await newestRuns(scopeFilter, Math.min(MOST_NEWEST, MOST_ANCHORS - anchors.length));
  return runs.ok ? { ok: true, items: [...new Set([...anchors, ...runs.items.map((id) => `prefect.flow-run.${id}`)])] } : runs;
}

async function runsCreated({ restrictions, createdBy }: ScopeFilter): Promise<readonly string[]> {
  const holders = restrictions.filter(({ scopes }) => scopes.some(({ own }) => own));
  const created = await Promise.all(holders.map(({ principalId }) => createdBy('FlowRun', principalId)));
  return created.flat().slice(0, MOST_CREATED);
}

function scopesOf({ restrictions }: ScopeFilter): readonly Scope[] {
  return restrictions.flatMap(({ scopes }) => scopes);
}

function tagsOf(scopeFilter: ScopeFilter): readonly string[] {
  return [...new Set(scopesOf(scopeFilter).flatMap((scope) => scope.tags ?? []))];
}

async function ofDeployments(scopeFilter: ScopeFilter): Promise<Found<string>> {
  const deployments = await deploymentsOf(scopeFilter, {});
  if (!deployments.ok) return deployments;
  const flows = await flowIds(scopeFilter, undefined);
  if (!flows.ok) return flows;
  const named = deployments.items.map((item) => `prefect.deployment.${textOf(item, 'id')}`);
  return { ok: true, items: [...named, ...flows.items.map((id) => `prefect.flow.${id}`)] };
}
