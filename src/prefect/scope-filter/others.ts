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
export async function withoutOthers(tree: JsonValue, visibleIds: VisibleIds): Promise<JsonValue> {
  const named: [ResourceType, string][] = [];
  let isClear = true;
  rewritten(tree, (type, id) => {
    if (id === undefined) isClear = false;
    else named.push([type, id]);
    return true;
  });
  if (named.length === 0 && isClear) return tree;
  const shown = new Map<ResourceType, ReadonlySet<string>>();
  for (const type of new Set(named.map(([kind]) => kind))) {
    shown.set(type, await visibleIds(type, [...new Set(named.filter(([kind]) => kind === type).map(([, id]) => id))]));
  }
  return rewritten(tree, (type, id) => id !== undefined && shown.get(type)?.has(id) === true);
}

/** Is this object shown? Undefined: its id cannot be read. */
type Shown = (type: ResourceType, id: string | undefined) => boolean;

const IDS: Readonly<Record<string, ResourceType>> = { parent_task_run_id: 'TaskRun', child_flow_run_id: 'FlowRun' };
/** Of a state: the run it is of, and (of a run that a task has started) that task. */
const IN_DETAILS: Readonly<Record<string, ResourceType>> = { ...IDS, flow_run_id: 'FlowRun', task_run_id: 'TaskRun' };
/** Who made it: an automation has a name. */
const MAKERS: readonly string[] = ['created_by', 'updated_by'];
/** Where Prefect's own fields stand; below others (parameters, data) is what people wrote. */
const PARTS: readonly string[] = ['state', 'results', 'payload', 'task_run', 'flow_run', 'initial_state', 'validated_state'];

const NOBODYS = '00000000-0000-0000-0000-000000000000';

function rewritten(tree: JsonValue, shown: Shown): JsonValue {
  if (isList(tree)) return tree.map((item) => rewritten(item, shown));
  if (!isObject(tree)) return tree;
  // What is asked for names itself in its state: thousands of those need no question.
  const itself = ['id', 'flow_run_id'].map((key) => field(tree, key));
  const others: Shown = (type, id) => itself.includes(id) || shown(type, id);
  const object = Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, shownValue(key, value, key === 'state' ? others : shown)]));
  return isList(field(object, 'nodes')) ? graphOf(object, shown) : object;
}

function detailsOf(details: JsonValue, shown: Shown): JsonValue {
  if (!isObject(details)) return details;
  const isOther = ([key, value]: [string, JsonValue]): boolean => {
    const type = Object.hasOwn(IN_DETAILS, key) ? IN_DETAILS[key] : undefined;
    return type !== undefined && !isShown(type, value, shown);
  };
  return Object.fromEntries(Object.entries(details).map((entry) => (isOther(entry) ? [entry[0], null] : entry)));
}

function shownValue(key: string, value: JsonValue, shown: Shown): JsonValue {
  if (key === 'state_details') return detailsOf(value, shown);
  const type = Object.hasOwn(IDS, key) ? IDS[key] : undefined;
  if (type !== undefined) return isShown(type, value, shown) ? value : null;
  if (MAKERS.includes(key)) return isShownMaker(value, shown) ? value : null;
  if (key === 'active_slots' && isList(value)) return value.map((slot) => (isShown('TaskRun', slot, shown) ? slot : NOBODYS));
  return PARTS.includes(key) ? rewritten(value, shown) : value;
}

function isShown(type: ResourceType, value: JsonValue, shown: Shown): boolean {
  return value === null || shown(type, parseUuid(value));
}

function isShownMaker(maker: JsonValue, shown: Shown): boolean {
  return !isObject(maker) || field(maker, 'type') !== 'AUTOMATION' || isShown('Automation', field(maker, 'id') ?? null, shown);
}

/** `nodes` are pairs of an id and a node; a sub-flow's run stands in it under its own id, with its name. */
function graphOf(graph: JsonObject, shown: Shown): JsonObject {
  const nodes = listOf(graph, 'nodes');
  const isGone = (pair: JsonValue): boolean => {
    const node = isList(pair) ? pair[1] : undefined;
    return isObject(node) && field(node, 'kind') === 'flow-run' && !isShown('FlowRun', field(node, 'id') ?? null, shown);
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
