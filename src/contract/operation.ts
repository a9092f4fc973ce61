// One entry of the action catalogue: what a route of Prefect means.

/** How a request reaches Prefect or a service; `own` is answered by the gateway itself; `deny` never passes. */
export type PathTaken = 'direct' | 'mediated' | 'relay' | 'egress' | 'own' | 'deny';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export const RESOURCE_TYPES = [
  'System',
  'Flow',
  'FlowRun',
  'TaskRun',
  'Deployment',
  'WorkPool',
  'WorkQueue',
  'Worker',
  'Log',
  'Event',
  'Automation',
  'Artifact',
  'Variable',
  'BlockType',
  'BlockDocument',
  'ConcurrencyLimit',
  'SavedSearch',
  'Collection',
  'Ui',
  'Service',
  'ServiceRoute',
  'Host',
] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/**
 * What kind of right an action is. Roles are permits on these groups (policy/roles/*.cedar).
 * baseline: whatever authenticates; read; secrets: reads that return secret values; machine: worker and run protocol;
 * steer: start and steer runs; override: change what a run executes; configure: write configuration; services: call what
 * `services:` and `forward_proxy:` of lictor.yaml name; admin.
 */
export const ACTION_GROUPS = ['baseline', 'read', 'secrets', 'machine', 'steer', 'override', 'configure', 'services', 'admin'] as const;
export type ActionGroup = (typeof ACTION_GROUPS)[number];

/** `resource.verb`, e.g. `flow_runs.read`; the nouns are Prefect's own. */
export type ActionName = string;

/**
 * A route, or a socket, of Prefect.
 * `path` is the template as a client writes it, under the root of the public URL, with `{name}` for one segment:
 * `/api/flow_runs/{id}/set_state`. `{id}`-like parameters listed in `uuids` match UUIDs only, in any spelling.
 * A `*` as the last segment takes any rest, also none.
 */
export interface Operation {
  /** Prefect's operationId; `socket:...`, `ui:...` and `docs:...` for what is not in its OpenAPI document. */
  readonly operationId: string;
  readonly method: Method;
  readonly path: string;
  readonly uuids: readonly string[];
  readonly action: ActionName;
  readonly group: ActionGroup;
  readonly resource: ResourceType;
  /** Which path parameter is the resource's id; null: the resource type as a whole. */
  readonly idParam: string | null;
  /** Which path parameter says what the resource's name is unique in: a queue's pool, a deployment's flow. */
  readonly withinParam: string | null;
  readonly taken: PathTaken;
  /** True when the decision may depend on the object: its path is then in the decision's key. */
  readonly objectScoped: boolean;
  /** Names of query parameters that decide: `$args` is then in the decision's key, and each may stand once, unencoded. */
  readonly decidingQuery: readonly string[];
  /** True when it changes something in Prefect. */
  readonly writes: boolean;
  /** The path parameter that is a flow run's id, when there is one: the record is bound to that run as verified. */
  readonly flowRunParam: string | null;
  /** The same for task runs and deployments. */
  readonly taskRunParam: string | null;
  readonly deploymentParam: string | null;
}
