// The tags and labels of a flow: teams share its name, but only a principal whose scope covers all of its uses sees these.
import { field, isBlank, isList, isObject, type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';

/** Lictor decides so many flows with tags or labels one by one, and hides those of the rest. */
const MOST_DECIDED = 20;

/** The answer (a flow, a list or a page of flows) without the tags and labels of flows that are not wholly covered. */
export async function withoutForeignAnnotations(tree: JsonValue, isWhole: (id: string) => Promise<boolean>): Promise<JsonValue> {
  const annotated = flowsIn(tree).filter((flow) => !isBlank(field(flow, 'tags')) || !isBlank(field(flow, 'labels')));
  if (annotated.length === 0) return tree;
  const decided = annotated.slice(0, MOST_DECIDED).map(async (flow) => ((await isWhole(String(field(flow, 'id')))) ? [flow] : []));
  const whole = new Set((await Promise.all(decided)).flat());
  const foreign = new Set<JsonValue>(annotated.filter((flow) => !whole.has(flow)));
  const visible = (flow: JsonValue): JsonValue => (isObject(flow) && foreign.has(flow) ? withoutAnnotations(flow) : flow);
  if (isList(tree)) return tree.map(visible);
  const results = field(tree, 'results');
  return isObject(tree) && isList(results) ? { ...tree, results: results.map(visible) } : visible(tree);
}

/** The flow with only its name. */
export function withoutAnnotations(flow: JsonObject): JsonObject {
  return { ...flow, tags: [], labels: {} };
}

function flowsIn(tree: JsonValue): readonly JsonObject[] {
  return objectsIn(isList(tree) ? tree : (field(tree, 'results') ?? [tree]));
}
