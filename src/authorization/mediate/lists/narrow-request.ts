// Narrows a mediated request to the principal's scopes: the forwarded filter and the answer contain only objects that the scopes cover.

import { renderStrict } from '../../../contract/json/strict-json.ts';
import { isObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { ActionName, ResourceType } from '../../../contract/operation.ts';
import { isScreenedRead } from '../../../contract/scope/screened.ts';
import { parseAnswer } from '../../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { withoutForeignAnnotations } from '../../../prefect/scope-filter/flow-annotations.ts';
import { withoutForeignReferences } from '../../../prefect/scope-filter/foreign-references.ts';
import type { ScopeFilter, VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { visibleFilters } from '../../../prefect/scope-filter/visible-filters.ts';
import type { Ask } from '../../decide/asks.ts';
import type { Call } from '../handler.ts';
import { forwarded, type Narrowed, refused } from './narrowed.ts';
import { listedBy, narrowOf } from './table.ts';

export interface Restricted extends ScopeFilter {
  /** The exact answer for one object that no filter of Prefect finds: a run below another run, without a pool. */
  readonly mayRead: (ask: Ask) => Promise<boolean>;
}

/** `tree`: the body that the handler forwards. Without a restriction, the principal may see everything. */
export async function narrow(call: Call, tree: JsonValue | undefined, { mayRead, ...scopeFilter }: Restricted): Promise<Narrowed> {
  if (scopeFilter.restrictions.length === 0) return forwarded(tree);
  const narrowList = narrowOf(call.operation);
  if (narrowList === undefined) return refused({ code: 'scope-not-filterable' });
  const visibleIds = createVisibleIdsNow(scopeFilter, mayRead);
  const listed = listedBy(call.operation);
  const seen = listed === undefined || !isObject(tree) ? undefined : await visibleFilters(tree, { scopeFilter, visibleIds, listed });
  if (seen?.ok === false) return refused(seen.refusal);
  const narrowed = await narrowList({ ...call, tree: seen?.body ?? tree }, scopeFilter);
  if (!narrowed.ok || !isScreenedRead(call.operation.action)) return narrowed;
  const isWhole = (id: string) => mayRead({ action: 'flows.read', resource: { type: 'Flow', id }, on: { kind: 'resource', whole: true } });
  const screen: Screen =
    call.operation.action === 'flows.read' ? (tree) => withoutForeignAnnotations(tree, isWhole) : (tree) => withoutForeignReferences(tree, visibleIds);
  if (!narrowed.forward) return { ...narrowed, answer: await screen(narrowed.answer) };
  return { ...narrowed, screen: (answer) => screened(answer, screen) };
}

/** Removes the foreign objects that an answer names. Returns the same tree when there are none. */
type Screen = (tree: JsonValue) => Promise<JsonValue>;

/** An answer with another status is Prefect's own refusal. Throws UpstreamError when Lictor cannot parse the answer. */
async function screened(answer: UpstreamAnswer, screen: Screen): Promise<UpstreamAnswer> {
  if (answer.status !== 200) return answer;
  const parsed = parseAnswer(answer);
  if (!parsed.ok) throw new UpstreamError('upstream-unavailable', { forwarded: true, detail: 'the answer cannot be read' });
  const visible = await screen(parsed.tree);
  return visible === parsed.tree ? answer : { ...answer, body: renderStrict(visible) };
}

const READS: Readonly<Partial<Record<ResourceType, ActionName>>> = {
  FlowRun: 'flow_runs.read',
  TaskRun: 'task_runs.read',
  Automation: 'automations.read',
};

/** Lictor decides so many objects that no filter finds one by one, and hides the rest. */
const MOST_DECIDED = 20;

function createVisibleIdsNow(scopeFilter: ScopeFilter, mayRead: Restricted['mayRead']): VisibleIds {
  return async (type, ids) => {
    const covered = await coveredIds(scopeFilter, type, ids);
    const action = READS[type];
    if (action === undefined) return covered;
    const open = ids.filter((id) => !covered.has(id)).slice(0, MOST_DECIDED);
    const readable = await Promise.all(open.map(async (id) => ((await mayRead({ action, resource: { type, id } })) ? [id] : [])));
    return new Set([...covered, ...readable.flat()]);
  };
}

export function answerOf(value: JsonValue): UpstreamAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)), upstreamMs: 0 };
}
