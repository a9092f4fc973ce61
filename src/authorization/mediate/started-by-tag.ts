// The tag `started-by:NAME`, which Lictor adds to every run that a request creates. Clients cannot add, change or remove it.
import { field, isList, isObject, type JsonValue } from '../../contract/json/tree.ts';
import { agentName } from '../../contract/principal.ts';
import type { Call, Lookup, Stamp } from './handler.ts';

const PREFIX = 'started-by:';

/** Deployments too: their runs inherit their tags. */
const CREATES: ReadonlySet<string> = new Set([
  'create_flow_run_from_deployment_deployments__id__create_flow_run_post',
  'bulk_create_flow_runs_from_deployment_deployments__id__create_flow_run_bulk_post',
  'create_flow_run_flow_runs__post',
  'create_deployment_deployments__post',
  'update_deployment_deployments__id__patch',
]);
const UPDATES_RUN = 'update_flow_run_flow_runs__id__patch';

/** The call that Lictor decides on: without `started-by` tags of the client, and with those of the run that it changes. */
export async function guardTags(call: Call, lookup: Lookup): Promise<Call> {
  const { operation, tree } = call;
  if (tree === undefined) return call;
  if (CREATES.has(operation.operationId)) return { ...call, tree: isList(tree) ? tree.map((item) => withTags(item, [])) : withTags(tree, []) };
  if (operation.operationId !== UPDATES_RUN || !isObject(tree) || !isList(field(tree, 'tags'))) return call;
  const present = field(await lookup(`/api/flow_runs/${call.params['id'] ?? ''}`), 'tags');
  return { ...call, tree: withTags(tree, isList(present) ? present.filter(isOurs) : []) };
}

/** Names the person or service at the beginning of the chain, or the agent in it. */
export function startedByTag({ principal, onBehalfOf }: Pick<Stamp, 'principal' | 'onBehalfOf'>): string {
  const chain = [principal, ...onBehalfOf];
  return `${PREFIX}${chain.find((id) => agentName(id) !== undefined) ?? chain.at(-1)}`;
}

function isOurs(tag: JsonValue): boolean {
  return typeof tag === 'string' && tag.trimStart().toLowerCase().startsWith(PREFIX);
}

function withTags(tree: JsonValue, ours: readonly JsonValue[]): JsonValue {
  if (!isObject(tree)) return tree;
  const tags = field(tree, 'tags');
  return isList(tags) ? { ...tree, tags: [...tags.filter((tag) => !isOurs(tag)), ...ours] } : tree;
}
