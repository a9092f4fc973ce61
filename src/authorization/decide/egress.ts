// What calls of services and connections with hosts of others are decided by alike: the run that calls, and the policies with what it is.
import type { Decision, Resource } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { ActionName } from '../../contract/operation.ts';
import { type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';
import { covers } from '../../contract/scope/covers.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import { callerAttributes } from '../policy/attributes.ts';
import type { PolicyEngine } from '../policy/engine.ts';

/** With those tags alone that its deployment has as well. Null: not a run, or one that Prefect does not know. Throws UpstreamError when Prefect must be asked and cannot. */
export async function runOf(entities: Pick<Entities, 'find'>, { kind, attributes }: Principal): Promise<Entity | null> {
  const id = kind === 'run' ? attributes[RUN_ATTRIBUTE] : undefined;
  const run = id === undefined ? null : await entities.find({ type: 'FlowRun', id });
  return run === null ? null : { ...run, tags: await givenTags(entities, run) };
}

/** A run, and the principal that starts it, may set its tags. So services see only what a principal with the right to write the deployment has set. */
async function givenTags(entities: Pick<Entities, 'find'>, { tags, deploymentId }: Entity): Promise<readonly string[]> {
  if (deploymentId === null || tags.length === 0) return [];
  const deployment = await entities.find({ type: 'Deployment', id: deploymentId });
  return tags.filter((tag) => deployment?.tags.includes(tag) === true);
}

export interface EgressQuestion {
  readonly principal: Principal;
  readonly run: Entity | null;
  readonly action: ActionName;
  readonly resource: Resource;
  readonly context: { readonly address: string; readonly carrier: string; readonly facts: Readonly<Record<string, string | number>> };
}

/** A role that holds on some objects alone is in force for the runs that are among them. */
export function evaluateEgress(policy: PolicyEngine, { principal, run, ...asked }: EgressQuestion): Decision {
  const inForce = principal.grants.flatMap(({ role, scope }) => (scope !== null && run !== null && covers(scope, run, principal.id) ? [role] : []));
  return policy.evaluate({ ...asked, principal, inForce, caller: callerAttributes(run, principal.onBehalfOf) });
}
