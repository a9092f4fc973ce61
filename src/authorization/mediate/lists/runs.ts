// Lists, counts and histories of flow runs, task runs, artifacts, logs and states: each belongs to its flow run.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { decidingValues } from '../../../prefect/catalog/query.ts';
import { answerObject, withJson } from '../../../prefect/client/answer.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import type { Part } from '../../../prefect/scope-filter/parts.ts';
import { partsOf, runIds, taskRunIds, withPart } from '../../../prefect/scope-filter/scope-filter.ts';
import { answered, forwarded, type Narrow, NO_OBJECT, narrowBody, refused, withIds } from './narrowed.ts';

/** `filters`: those of the route. Prefect ignores unknown keys, so other conditions become ids. */
export function narrowRuns(filters: readonly (keyof Part)[]): Narrow {
  return narrowBody(async (body, scopeFilter) => {
    const parts = await partsOf(scopeFilter, 'runs');
    if (!parts.ok) return refused(parts.refusal);
    const [part, ...others] = parts.items;
    if (part !== undefined && others.length === 0 && Object.keys(part).every((key) => filters.some((filter) => filter === key))) {
      const joined = withPart(body, part);
      return joined.ok ? forwarded(joined.body) : refused(joined.refusal);
    }
    const ids = await runIds(scopeFilter, body);
    return withIds(body, 'flow_runs', 'id', ids);
  });
}

/** Without `logs.flow_run_id` and `logs.task_run_id`, the client gets the logs of every covered run. */
export const narrowLogs = narrowBody(async (body, scopeFilter) => {
  const logs = field(body, 'logs') ?? {};
  if (!isObject(logs)) return refused(NO_OBJECT);
  const runs = namedIn(logs, 'flow_run_id');
  const tasks = namedIn(logs, 'task_run_id');
  if (runs === null && tasks !== null) return withIds(body, 'logs', 'task_run_id', await taskRunIds(scopeFilter, tasks));
  return withIds(body, 'logs', 'flow_run_id', await runIds(scopeFilter, runs === null ? {} : { flow_runs: { id: { any_: runs } } }));
});

/** A run that is not covered has 0 task runs, as one that does not exist. */
export const countTasksOfRuns = narrowBody(async (body, scopeFilter) => {
  const asked = field(body, 'flow_run_ids');
  if (!isList(asked)) return forwarded({ flow_run_ids: null });
  const covered = await runIds(scopeFilter, { flow_runs: { id: { any_: asked } } });
  if (!covered.ok) return refused(covered.refusal);
  const none = Object.fromEntries(asked.map((id) => [String(id), 0]));
  return forwarded({ flow_run_ids: [...covered.items] }, (answer) => withJson(answer, { ...none, ...answerObject(answer) }));
});

/** The states of the run in the query. For a run that is not covered, an empty list: Prefect's own answer for one that does not exist. */
export function statesOf(type: ResourceType, name: string): Narrow {
  return async (call, scopeFilter) => {
    const id = parseUuid(decidingValues([name], call.inputs.args)?.get(name));
    if (id === undefined) return refused({ code: 'query-invalid' });
    return (await coveredIds(scopeFilter, type, [id])).has(id) ? forwarded(undefined) : answered([]);
  };
}

/** One state, by its own id. `owner`: the field that names its run. */
export function state(type: ResourceType, path: string, owner: string): Narrow {
  return async (call, scopeFilter) => {
    const found = await scopeFilter.lookup(`${path}/${call.params['id'] ?? ''}`);
    const id = parseUuid(field(field(found, 'state_details'), owner));
    const isCovered = id !== undefined && (await coveredIds(scopeFilter, type, [id])).has(id);
    return isCovered ? forwarded(undefined) : refused({ code: 'object-foreign' });
  };
}

/** Null: the filter names none. If the value is no list, `withIds` refuses it. */
function namedIn(filter: JsonObject, name: string): readonly JsonValue[] | null {
  const criterion = field(filter, name) ?? null;
  const any = field(criterion, 'any_') ?? null;
  return isList(any) ? any : null;
}
