// What is written on a flow: teams share its name, and its tags and labels are whose all of its uses are.
import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';

/** Of so many flows that something is written on, each is looked at; beyond that nothing is shown of it. */
const MOST_LOOKED_AT = 20;

/** The answer (a flow, a list of flows, a page of them) without what is written on flows that are not whole. */
export async function withoutForeignWords(tree: JsonValue, isWhole: (id: string) => Promise<boolean>): Promise<JsonValue> {
  const written = flowsIn(tree).filter((flow) => !isBlank(field(flow, 'tags')) || !isBlank(field(flow, 'labels')));
  if (written.length === 0) return tree;
  const looked = written.slice(0, MOST_LOOKED_AT).map(async (flow) => ((await isWhole(String(field(flow, 'id')))) ? [flow] : []));
  const whole = new Set((await Promise.all(looked)).flat());
  const shown = (flow: JsonObject): JsonObject => (written.includes(flow) && !whole.has(flow) ? wordless(flow) : flow);
  if (isList(tree)) return tree.map((item) => (isObject(item) ? shown(item) : item));
  if (!isObject(tree)) return tree;
  const results = field(tree, 'results');
  return isList(results) ? { ...tree, results: results.map((item) => (isObject(item) ? shown(item) : item)) } : shown(tree);
}

/** The flow with its name alone. */
export function wordless(flow: JsonObject): JsonObject {
  return { ...flow, tags: [], labels: {} };
}

function flowsIn(tree: JsonValue): readonly JsonObject[] {
  const list = isList(tree) ? tree : isObject(tree) ? (field(tree, 'results') ?? [tree]) : [];
  return isList(list) ? list.filter((item) => isObject(item)) : [];
}
