// The step of a mediated request that scopes add: what is forwarded shows what the scopes cover, or nothing is; and so does the answer.

import { renderStrict } from '../../../contract/json/strict-json.ts';
import { isObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { ActionName, ResourceType } from '../../../contract/operation.ts';
import { isScreenedRead } from '../../../contract/scope/screened.ts';
import type { Scope } from '../../../contract/scope.ts';
import { parseAnswer } from '../../../prefect/client/answer.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { withoutForeignWords } from '../../../prefect/scope-filter/flow-words.ts';
import { withoutOthers } from '../../../prefect/scope-filter/others.ts';
import type { ScopeFilter, VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { seenFilters } from '../../../prefect/scope-filter/seen-filters.ts';
import type { Ask } from '../../decide/asks.ts';
import type { Call } from '../family.ts';
import { forwarded, type Narrowed, refused } from './narrow.ts';
import { listedBy, narrowOf } from './table.ts';

export interface Restricted extends Omit<ScopeFilter, 'scopes'> {
  /** What holds for this request; null: everything is shown. */
  readonly scopes: readonly Scope[] | null;
  /** The exact answer for one object, where a filter of Prefect's does not reach: a run below a run that has no pool of its own. */
  readonly mayRead: (ask: Ask) => Promise<boolean>;
}

/** `tree`: what the family forwards. */
export async function narrow(call: Call, tree: JsonValue | undefined, { scopes, mayRead, ...rest }: Restricted): Promise<Narrowed> {
  if (scopes === null) return forwarded(tree);
  const narrowList = narrowOf(call.operation);
  if (narrowList === undefined) return refused({ code: 'scope-not-filterable' });
  const scopeFilter = { scopes, ...rest };
  const visibleIds = createVisibleIdsNow(scopeFilter, mayRead);
  const listed = listedBy(call.operation);
  const seen = listed === undefined || !isObject(tree) ? undefined : await seenFilters(tree, { scopeFilter, visibleIds, listed });
  if (seen?.ok === false) return refused(seen.refusal);
  const narrowed = await narrowList({ ...call, tree: seen?.body ?? tree }, scopeFilter);
  if (!narrowed.ok || !isScreenedRead(call.operation.action)) return narrowed;
  const isWhole = (id: string) => mayRead({ action: 'flows.read', resource: { type: 'Flow', id }, on: { kind: 'resource', whole: true } });
  const shown: Shown = call.operation.action === 'flows.read' ? (tree) => withoutForeignWords(tree, isWhole) : (tree) => withoutOthers(tree, visibleIds);
  if (!narrowed.forward) return { ...narrowed, answer: await shown(narrowed.answer) };
  return { ...narrowed, screen: (answer) => screened(answer, shown) };
}

/** The same tree when nothing is to be left out of it. */
type Shown = (tree: JsonValue) => Promise<JsonValue>;

/** Another status is Prefect's own way of saying no. Throws UpstreamError when it cannot be told what the answer names. */
async function screened(answer: UpstreamAnswer, shownOf: Shown): Promise<UpstreamAnswer> {
  if (answer.status !== 200) return answer;
  const parsed = parseAnswer(answer);
  if (!parsed.ok) throw new UpstreamError('upstream-unavailable', { forwarded: true, detail: 'the answer cannot be read' });
  const shown = await shownOf(parsed.tree);
  return shown === parsed.tree ? answer : { ...answer, body: renderStrict(shown) };
}

const READS: Readonly<Partial<Record<ResourceType, ActionName>>> = {
  FlowRun: 'flow_runs.read',
  TaskRun: 'task_runs.read',
  Automation: 'automations.read',
};

/** Of so many that no filter finds, each is looked at; beyond that they are not shown. */
const MOST_LOOKED_AT = 20;

function createVisibleIdsNow(scopeFilter: ScopeFilter, mayRead: Restricted['mayRead']): VisibleIds {
  return async (type, ids) => {
    const covered = await coveredIds(scopeFilter, type, ids);
    const action = READS[type];
    const open = action === undefined ? [] : ids.filter((id) => !covered.has(id)).slice(0, MOST_LOOKED_AT);
    const looked = await Promise.all(open.map(async (id) => (action !== undefined && (await mayRead({ action, resource: { type, id } })) ? [id] : [])));
    return new Set([...covered, ...looked.flat()]);
  };
}

export function answerOf(value: JsonValue): UpstreamAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)), upstreamMs: 0 };
}
