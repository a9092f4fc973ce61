// Decides whether a principal may add or remove a guarded tag. Another ask decides whether it may change the object.
import { type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';
import type { Scope } from '../../contract/scope.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { evaluatePrecheck, type Question, type Ruling, refused } from './rule.ts';

export interface HoldsTagParts {
  readonly policy: PolicyEngine;
  readonly entities: Pick<Entities, 'find'>;
}

/**
 * A role permits it if it holds on everything, or if its scope names the tag, or the tag's limit by its whole name. A run may use its own tags.
 * Throws UpstreamError.
 */
export async function ruleOnTag(parts: HoldsTagParts, question: Question, tag: string): Promise<Ruling> {
  const { principal, ask } = question;
  const names = (scope: Scope) =>
    scope.tags?.includes(tag) === true || (ask.resource.type === 'ConcurrencyLimit' && scope.concurrencyLimits?.includes(tag) === true);
  const isRun = principal.kind === 'run';
  const grants = isRun ? principal.grants : principal.grants.filter(({ scope }) => scope === null || names(scope));
  const ruling = evaluatePrecheck(parts, { ...question, principal: { ...principal, grants } });
  const holds = ruling.decision.enforced === 'allow' && (!isRun || (await tagsOfRun(parts.entities, principal)).includes(tag));
  return holds ? ruling : { ...ruling, decision: refused(ruling.decision, 'tag-guarded') };
}

/** The detail of a refusal. */
export function tagGuarded(tag: string): string {
  return `The tag ${JSON.stringify(tag)} is guarded: only a role whose scope names it, or one that holds on everything, may put it on something, take it off or use its concurrency limit.`;
}

async function tagsOfRun(entities: HoldsTagParts['entities'], { attributes }: Principal): Promise<readonly string[]> {
  const run = await entities.find({ type: 'FlowRun', id: attributes[RUN_ATTRIBUTE] ?? '' });
  const deployment = run === null || run.deploymentId === null ? null : await entities.find({ type: 'Deployment', id: run.deploymentId });
  return [...(run?.tags ?? []), ...(deployment?.tags ?? [])];
}
