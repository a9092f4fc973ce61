// Lists, counts and histories of flow runs and of what is in them: task runs and artifacts by the filter of their flow runs, logs by their ids.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import { answerObject, withJson } from '../../../prefect/client/answer.ts';
import type { Part } from '../../../prefect/scope-filter/parts.ts';
import { partsOf, runIds, taskRunIds, withPart } from '../../../prefect/scope-filter/scope-filter.ts';
import { bodyOf, forwarded, type Narrow, NO_OBJECT, refused, withIds } from './narrow.ts';

/** `knows`: the filters that the route takes. Prefect ignores a key that a route does not know, so what cannot be said there becomes ids. */
export function narrowRuns(knows: readonly (keyof Part)[]): Narrow {
  return async (call, scopeFilter) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const parts = await partsOf(scopeFilter, 'runs');
    if (!parts.ok) return refused(parts.refusal);
    const [part, ...others] = parts.items;
    if (part !== undefined && others.length === 0 && Object.keys(part).every((key) => knows.some((known) => known === key))) {
      const joined = withPart(body, part);
      return joined.ok ? forwarded(joined.body) : refused(joined.refusal);
    }
    const ids = await runIds(scopeFilter, body);
    return ids.ok ? withIds(body, 'flow_runs', 'id', ids) : refused(ids.refusal);
  };
}

/** `logs.flow_run_id` or `logs.task_run_id` should name whose; without, they are those of every run that is covered. */
export const narrowLogs: Narrow = async (call, scopeFilter) => {
  const body = bodyOf(call);
  const logs = body === undefined ? undefined : (field(body, 'logs') ?? {});
  if (body === undefined || !isObject(logs)) return refused(NO_OBJECT);
  const runs = namedIn(logs, 'flow_run_id');
  const tasks = namedIn(logs, 'task_run_id');
  if (runs === null && tasks !== null) return withIds(body, 'logs', 'task_run_id', await taskRunIds(scopeFilter, tasks));
  return withIds(body, 'logs', 'flow_run_id', await runIds(scopeFilter, runs === null ? {} : { flow_runs: { id: { any_: runs } } }));
};

/** A run that is not covered has as many task runs as one that does not exist. */
export const countTasksOfRuns: Narrow = async (call, scopeFilter) => {
  const body = bodyOf(call);
  const asked = field(body, 'flow_run_ids');
  if (body === undefined || !isList(asked)) return forwarded(body === undefined ? undefined : { flow_run_ids: null });
  const covered = await runIds(scopeFilter, { flow_runs: { id: { any_: asked } } });
  if (!covered.ok) return refused(covered.refusal);
  const none = Object.fromEntries(asked.map((id) => [String(id), 0]));
  return {
    ok: true,
    forward: true,
    tree: { flow_run_ids: [...covered.items] },
    reply: (answer) => (answer.status === 200 ? withJson(answer, { ...none, ...answerObject(answer) }) : answer),
  };
};

/** Null: the filter does not name any. What is no list is Prefect's to refuse: the conjunction refuses it before. */
function namedIn(filter: JsonObject, name: string): readonly JsonValue[] | null {
  const criterion = field(filter, name) ?? null;
  const any = field(criterion, 'any_') ?? null;
  return isList(any) ? any : null;
}
