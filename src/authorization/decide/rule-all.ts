// Rules every ask of a request, for each principal of the chain, and joins what narrows the answer.
import { chainOf, type Principal } from '../../contract/principal.ts';
import type { Restriction, Scope } from '../../contract/scope.ts';
import type { Entities } from '../../prefect/client/entities.ts';
import { type Ask, usedFlow } from './asks.ts';
import { ruleOnTag } from './holds-tag.ts';
import { ruleForEach } from './intersection.ts';
import { evaluatePrecheck, hasScopes, type RuleParts, type Question as RuleQuestion, type Ruling, rule } from './rule.ts';

export interface RuleAllParts extends Omit<RuleParts, 'entities'> {
  readonly entities: { readonly recent: Entities; readonly now: Entities };
}

interface HowToRule {
  /** One of the route's alternative actions is enough. */
  readonly any: boolean;
  readonly looked: 'recent' | 'now';
}

interface Asked {
  readonly principal: Principal;
  readonly asks: readonly Ask[];
  readonly context: { readonly address: string; readonly carrier: string };
}

/** Lictor reads an object once for all asks about it. Before it reads the body, the upper bound of all scopes suffices. */
export async function ruleAll(parts: RuleAllParts, { any, looked }: HowToRule, { principal, asks, context }: Asked): Promise<readonly Ruling[]> {
  const questionsOf = (each: Principal) => asks.map((ask) => ({ principal: each, ask, context: { ...context, facts: ask.facts ?? {} } }));
  if (any) return ruleForEach(principal, asks.length, (each) => questionsOf(each).map((question) => evaluatePrecheck(parts, question)));
  const entities = parts.entities[looked];
  const looking = { ...parts, entities: chainOf(principal).some(hasScopes) || parts.policy.readsAttributes ? lookingOnce(entities) : entities };
  return ruleForEach(principal, asks.length, (each) => ruleQuestions(looking, questionsOf(each)));
}

async function ruleQuestions(looking: RuleParts, questions: readonly RuleQuestion[]): Promise<readonly Ruling[]> {
  // These asks decide first, so that no other ask depends on the contents of a foreign object.
  const isOwn = ({ ask }: RuleQuestion): boolean => ask.inPath !== undefined || usedFlow(ask) !== undefined;
  const first = new Map(await Promise.all(questions.filter(isOwn).map(async (question) => [question, await ruleOne(looking, question)] as const)));
  const own = [...first.values()];
  if (own.some(({ decision }) => decision.reason === 'object-foreign')) return own;
  return Promise.all(questions.map((question) => first.get(question) ?? ruleOne(looking, question)));
}

function ruleOne(parts: RuleParts, question: RuleQuestion): Promise<Ruling> {
  const { on } = question.ask;
  return on?.kind === 'tag' ? ruleOnTag(parts, question, on.tag) : rule(parts, question);
}

function lookingOnce(entities: Entities): Entities {
  const found = new Map<string, ReturnType<Entities['find']>>();
  return {
    ...entities,
    find(resource) {
      const key = JSON.stringify(resource);
      const known = found.get(key) ?? entities.find(resource);
      found.set(key, known);
      return known;
    },
  };
}

/**
 * For each principal with restricted rulings: the scopes that all of these have in common. Without any, the answer stays whole.
 * An empty list of scopes hides every object.
 */
export function restrictionsOf(rulings: readonly Ruling[]): readonly Restriction[] {
  const byPrincipal = Map.groupBy(
    rulings.flatMap(({ restrictions }) => restrictions),
    ({ principalId }) => principalId,
  );
  return [...byPrincipal].map(([principalId, same]) => ({ principalId, scopes: commonScopes(same) }));
}

function commonScopes([first, ...others]: readonly Restriction[]): readonly Scope[] {
  const isIn = (scope: Scope, { scopes }: Restriction): boolean => scopes.some((each) => JSON.stringify(each) === JSON.stringify(scope));
  return first?.scopes.filter((scope) => others.every((other) => isIn(scope, other))) ?? [];
}
