// The common part of decisions on calls of services and on connections to external hosts: the calling run, the policies, and what else denies.
import { scopesAllow } from '../../contract/client-scopes.ts';
import type { Decision, Resource } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { ActionName } from '../../contract/operation.ts';
import { type Credential, chainOf, type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';
import { covers } from '../../contract/scope/covers.ts';
import type { Authenticator } from '../../identity/authn/authenticator.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import { principalAttributes } from '../policy/attributes.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { deniedFor, type NeedsApproval } from './needs-approval.ts';

/** The calling run, with only the tags that its deployment has as well. Null: no run, or unknown to Prefect. Throws UpstreamError when Prefect does not answer. */
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

export interface EgressParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly policy: PolicyEngine;
  /** May be some seconds old. */
  readonly entities: Pick<Entities, 'find'>;
  readonly changeNumber: () => Promise<number>;
  /** Left out: no rule holds actions. */
  readonly needsApproval?: NeedsApproval;
}

export interface EgressQuestion {
  readonly principal: Principal;
  readonly run: Entity | null;
  readonly action: ActionName;
  readonly resource: Resource;
  readonly context: { readonly address: string; readonly carrier: string; readonly facts: Readonly<Record<string, string | number>> };
}

/** By the policies, by the client scopes of the credential, and by the rules of approvals: no such request can wait. */
export function decideEgress(
  { policy, needsApproval }: Pick<EgressParts, 'policy' | 'needsApproval'>,
  question: EgressQuestion,
  { scopes }: Credential,
): Decision {
  const decision = evaluateEgress(policy, question);
  if (decision.enforced !== 'allow') return decision;
  if (!scopesAllow(scopes, 'services')) return deniedFor('scope-missing', decision);
  return needsApproval?.(question.principal, question.action) === true ? deniedFor('approval-impossible', decision) : decision;
}

/**
 * Every principal of the chain must have the right. Another principal than the caller has no run, so its roles with a scope give none.
 * Budgets, taint and approvals do not see these calls, so no agent of the chain gets any.
 */
export function evaluateEgress(policy: PolicyEngine, question: EgressQuestion): Decision {
  const decision = evaluateChain(policy, question);
  const isOfAgent = decision.enforced === 'allow' && chainOf(question.principal).some(({ kind }) => kind === 'agent');
  return isOfAgent ? deniedFor('egress-unchecked', decision) : decision;
}

function evaluateChain(policy: PolicyEngine, question: EgressQuestion): Decision {
  const { principal } = question;
  if (principal.limitedBy === undefined) return evaluateOne(policy, question);
  const decisions = chainOf(principal).map((each) => (each === principal ? evaluateOne(policy, question) : ofOther(policy, { ...question, principal: each })));
  const [own] = decisions;
  if (own === undefined) throw new Error('a chain has no principal');
  return decisions.find(({ enforced }) => enforced !== 'allow') ?? { ...own, policies: [...new Set(decisions.flatMap(({ policies }) => policies))] };
}

function ofOther(policy: PolicyEngine, question: EgressQuestion): Decision {
  const decision = evaluateOne(policy, { ...question, run: null });
  return decision.enforced === 'allow' ? decision : { ...decision, lackedBy: question.principal.id };
}

/** A role with a scope is in force for the runs that its scope covers. */
function evaluateOne(policy: PolicyEngine, { principal, run, ...asked }: EgressQuestion): Decision {
  const inForce = principal.grants.flatMap(({ role, scope }) => (scope !== null && run !== null && covers(scope, run, principal.id) ? [role] : []));
  return policy.evaluate({ ...asked, principal, inForce, attributes: principalAttributes(run, principal.onBehalfOf) });
}
