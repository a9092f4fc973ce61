// Logs, artifacts and task runs, which runs and workers write on the direct path. Lictor reads these bodies for principals with scopes and
// for runs: the body names the run.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import { withoutForeignInState } from '../../prefect/client/states.ts';
import type { Ask } from '../decide/asks.ts';
import { type Call, type Handler, invalid, MEBIBYTE, ownAsk, type Planned, planned, withObject } from './handler.ts';
import { distinctAsks } from './template-references.ts';

export const createLogs: Handler = {
  operations: ['create_logs_logs__post'],
  maxBytes: 16 * MEBIBYTE,
  plan: (call) => (isList(call.tree) && call.tree.every(isObject) ? planItems(call, call.tree) : invalid('The body must be a list of logs.')),
};

export const createArtifact: Handler = {
  operations: ['create_artifact_artifacts__post'],
  maxBytes: 16 * MEBIBYTE,
  plan: withObject((call, artifact) => planItems(call, [artifact], keyAsks(call, artifact))),
};

export const createTaskRun: Handler = {
  operations: ['create_task_run_task_runs__post'],
  maxBytes: 8 * MEBIBYTE,
  plan: withObject((call, taskRun) => {
    const each = planItems(call, [taskRun]);
    return each.ok ? planned({ ...each.plan, rewrite: () => withoutForeignInState(taskRun) }) : each;
  }),
};

/** Every reader sees the latest artifact of a key, so it must be the writer's own, or not exist. */
function keyAsks(call: Call, artifact: JsonObject): readonly Ask[] {
  const key = field(artifact, 'key');
  if (typeof key !== 'string') return [];
  return [{ ...ownAsk(call), on: { kind: 'related', object: { type: 'Artifact', id: key, named: true }, orAbsent: true } }];
}

const SHARED = { kind: 'shared' } as const;

function planItems(call: Call, items: readonly JsonValue[], further: readonly Ask[] = []): Planned {
  const own = ownAsk(call);
  const asks = items.length === 0 ? [{ ...own, on: SHARED }] : items.flatMap((item) => runAsks(own, item));
  return planned({ asks: distinctAsks([...asks, ...further]), intent: false });
}

/** An ask for each run that the item names. An item that names none belongs to no run, and to its writer. */
function runAsks(own: Ask, item: JsonValue): readonly Ask[] {
  const named = (['flow_run_id', 'task_run_id'] as const).flatMap((key) => {
    const value = field(item, key) ?? null;
    if (value === null) return [];
    const id = typeof value === 'string' ? (parseUuid(value) ?? value) : 'no id';
    return [{ key, object: { type: key === 'flow_run_id' ? 'FlowRun' : 'TaskRun', id } as const }];
  });
  if (named.length === 0) return [{ ...own, on: own.resource.type === 'Log' ? SHARED : { kind: 'created', fields: { tags: field(item, 'tags') ?? [] } } }];
  const runIsNamed = named.some(({ key }) => key === 'flow_run_id');
  // Prefect learns of a task run by its events, which may arrive after its first log.
  return named.map(({ key, object }) => ({ ...own, on: { kind: 'related', object, orAbsent: key === 'task_run_id' && runIsNamed } }));
}
