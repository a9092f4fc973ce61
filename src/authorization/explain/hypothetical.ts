// An object that does not exist, inside a scope: the answers that Prefect would give about it. Decisions about it say what roles give on the whole scope.
import type { JsonObject } from '../../contract/json/tree.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { counts } from '../../contract/scope/covers.ts';
import type { Scope, ScopeList } from '../../contract/scope.ts';
import type { Lookup } from '../mediate/handler.ts';

/** Of every hypothetical object. Prefect makes random ids, which have a version. */
export const HYPOTHETICAL_ID = '00000000-0000-0000-0000-00000000000a';

const LISTS: readonly ScopeList[] = ['tags', 'workPools', 'deployments', 'flows', 'variables', 'blocks', 'automations', 'concurrencyLimits'];

/** True: objects of this type can be inside the scope. */
export function isOfScope(scope: Scope, type: ResourceType): boolean {
  return LISTS.some((key) => counts(scope, key, type));
}

/** The first work pool of the scope for a pool, because a pool's id is its name. */
export function hypotheticalId(scope: Scope, type: ResourceType): string {
  return type === 'WorkPool' ? (scope.workPools?.[0] ?? HYPOTHETICAL_ID) : HYPOTHETICAL_ID;
}

/** Of a list, the object has the first name. The end of `etl/*` becomes `any`. */
export function hypotheticalLookup(scope: Scope): Lookup {
  const deployment = example(scope.deployments);
  const [flowOfDeployment, ...rest] = deployment?.split('/') ?? [];
  const flow = { id: HYPOTHETICAL_ID, name: example(scope.flows) ?? flowOfDeployment ?? null };
  const [pool = null] = scope.workPools ?? [];
  const object = { id: HYPOTHETICAL_ID, tags: [...(scope.tags ?? [])], work_pool_name: pool, flow_id: HYPOTHETICAL_ID };
  const answers: Readonly<Record<string, JsonObject>> = {
    flows: flow,
    deployments: { ...object, name: rest.join('/') || null },
    flow_runs: { ...object, deployment_id: deployment === undefined ? null : HYPOTHETICAL_ID },
    task_runs: { ...object, flow_run_id: HYPOTHETICAL_ID },
    artifacts: { ...object, flow_run_id: HYPOTHETICAL_ID },
    variables: { ...object, name: example(scope.variables) ?? null },
    block_documents: { ...object, name: example(scope.blocks) ?? null },
    automations: { ...object, name: example(scope.automations) ?? null },
    concurrency_limits: { ...object, name: example(scope.concurrencyLimits) ?? null },
    work_queues: { ...object, name: 'any' },
  };
  return async (path) => {
    const noun = /^\/api\/(?:v2\/)?([a-z_]+)\//.exec(path)?.[1] ?? '';
    const answer = answers[noun] ?? null;
    if (!path.endsWith('/filter')) return answer;
    return noun === 'deployments' && answer !== null ? [answer] : [];
  };
}

function example(patterns: readonly string[] | null): string | undefined {
  return patterns?.[0]?.replace(/\*$/, 'any');
}
