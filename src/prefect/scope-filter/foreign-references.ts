// Hides foreign objects that an answer about visible objects names: the run that started a run, the run that a task started, an
// automation that created it, task runs that hold slots of a limit.
//
// Such a reference becomes null (or, in a list of slots, an unused id, so that their number stays true). Inputs of tasks stay:
// they name what the run itself was given.

import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import type { VisibleIds } from './scope-filter.ts';

/** The same tree when it names nothing hidden. */
export async function withoutForeignReferences(tree: JsonValue, visibleIds: VisibleIds): Promise<JsonValue> {
  const named: [ResourceType, string][] = [];
  let isClear = true;
  rewritten(tree, (type, id) => {
    if (id === undefined) isClear = false;
    else named.push([type, id]);
    return true;
  });
  if (named.length === 0 && isClear) return tree;
  const visible = new Map<ResourceType, ReadonlySet<string>>();
  for (const [type, same] of Map.groupBy(named, ([kind]) => kind)) visible.set(type, await visibleIds(type, [...new Set(same.map(([, id]) => id))]));
  return rewritten(tree, (type, id) => id !== undefined && visible.get(type)?.has(id) === true);
}

/** `id` undefined: the tree names an object in an unreadable way. */
type IsVisible = (type: ResourceType, id: string | undefined) => boolean;

const IDS: Readonly<Record<string, ResourceType>> = { parent_task_run_id: 'TaskRun', child_flow_run_id: 'FlowRun' };
/** In a state: its run, and the task that started the run. */
const IN_DETAILS: Readonly<Record<string, ResourceType>> = { ...IDS, flow_run_id: 'FlowRun', task_run_id: 'TaskRun' };
const CREATORS: readonly string[] = ['created_by', 'updated_by'];
/** Below these keys are Prefect's own fields. Below others (parameters, data) are values of users. */
const PARTS: readonly string[] = ['state', 'results', 'payload', 'task_run', 'flow_run', 'initial_state', 'validated_state'];

const UNUSED_ID = '00000000-0000-0000-0000-000000000000';

function rewritten(tree: JsonValue, isVisible: IsVisible): JsonValue {
  if (isList(tree)) return tree.map((item) => rewritten(item, isVisible));
  if (!isObject(tree)) return tree;
  // An object names itself in its state, which needs no request, even for thousands of objects.
  const itself = ['id', 'flow_run_id'].map((key) => field(tree, key));
  const others: IsVisible = (type, id) => itself.includes(id) || isVisible(type, id);
  const object = Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, visibleValue(key, value, key === 'state' ? others : isVisible)]));
  return isList(field(object, 'nodes')) ? graphOf(object, isVisible) : object;
}

function detailsOf(details: JsonValue, isVisible: IsVisible): JsonValue {
  if (!isObject(details)) return details;
  const isOther = ([key, value]: [string, JsonValue]): boolean => {
    const type = Object.hasOwn(IN_DETAILS, key) ? IN_DETAILS[key] : undefined;
    return type !== undefined && !isVisibleId(type, value, isVisible);
  };
  return Object.fromEntries(Object.entries(details).map((entry) => (isOther(entry) ? [entry[0], null] : entry)));
}

function visibleValue(key: string, value: JsonValue, isVisible: IsVisible): JsonValue {
  if (key === 'state_details') return detailsOf(value, isVisible);
  const type = Object.hasOwn(IDS, key) ? IDS[key] : undefined;
  if (type !== undefined) return isVisibleId(type, value, isVisible) ? value : null;
  if (CREATORS.includes(key)) return isVisibleCreator(value, isVisible) ? value : null;
  if (key === 'active_slots' && isList(value)) return value.map((slot) => (isVisibleId('TaskRun', slot, isVisible) ? slot : UNUSED_ID));
  return PARTS.includes(key) ? rewritten(value, isVisible) : value;
}

function isVisibleId(type: ResourceType, value: JsonValue, isVisible: IsVisible): boolean {
  return value === null || isVisible(type, parseUuid(value));
}

function isVisibleCreator(creator: JsonValue, isVisible: IsVisible): boolean {
  return field(creator, 'type') !== 'AUTOMATION' || isVisibleId('Automation', field(creator, 'id') ?? null, isVisible);
}

/** `nodes` are pairs of an id and a node. A node of a sub-flow's run has the run's id and name. */
function graphOf(graph: JsonObject, isVisible: IsVisible): JsonObject {
  const nodes = listOf(graph, 'nodes');
  const isGone = (pair: JsonValue): boolean => {
    const node = isList(pair) ? pair[1] : undefined;
    return field(node, 'kind') === 'flow-run' && !isVisibleId('FlowRun', field(node, 'id') ?? null, isVisible);
  };
  const gone = new Set(nodes.filter(isGone).map((pair) => (isList(pair) ? pair[0] : null)));
  if (gone.size === 0) return graph;
  const isLeft = (edge: JsonValue): boolean => !gone.has(isObject(edge) ? (field(edge, 'id') ?? null) : edge);
  const rest = (object: JsonObject, key: string): JsonObject => ({ [key]: listOf(object, key).filter(isLeft) });
  const left = nodes
    .filter((pair) => !isGone(pair))
    .map((pair) => {
      const [id, node] = isList(pair) ? pair : [];
      return isObject(node) ? [id ?? null, { ...node, ...rest(node, 'parents'), ...rest(node, 'children'), ...rest(node, 'encapsulating') }] : pair;
    });
  return { ...graph, ...rest(graph, 'root_node_ids'), nodes: left };
}

function listOf(object: JsonObject, key: string): readonly JsonValue[] {
  const value = field(object, key);
  return isList(value) ? value : [];
}
