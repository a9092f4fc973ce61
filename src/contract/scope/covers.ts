// Decides if an object is inside a scope. contract/scope.ts defines each key.
//
// This file, decisions.ts and the entities (src/prefect/client/entities.ts) are about single objects; lists are in filters.ts.
import type { Entity } from '../entity.ts';
import type { ResourceType } from '../operation.ts';
import type { Scope, ScopeList } from '../scope.ts';

/** `who` is the principal's id, for `own`. */
export function covers(scope: Scope, entity: Entity, who: string): boolean {
  const given = LISTS.filter((key) => counts(scope, key, entity.type));
  if (given.length === 0 && !ownCounts(scope, entity.type)) return false;
  if (ownCounts(scope, entity.type) && entity.owner !== who) return false;
  if (entity.type !== 'Flow') return given.every((key) => matches(scope, key, entity));
  // A flow has neither tags nor a pool: one of its uses must match all keys.
  const ofUses = given.filter((key) => key !== 'flows');
  if (given.includes('flows') && !matches(scope, 'flows', entity)) return false;
  return ofUses.length === 0 || entity.uses.some((use) => ofUses.every((key) => matches(scope, key, use)));
}

/**
 * The same for an object that a request changes or deletes as a whole. Teams share a flow by its name, and any run of it is a use: all uses must be
 * inside the scope.
 */
export function coversWhole(scope: Scope, entity: Entity, who: string): boolean {
  if (!covers(scope, entity, who)) return false;
  const ofUses = LISTS.filter((key) => key !== 'flows' && counts(scope, key, entity.type));
  if (entity.type !== 'Flow' || ofUses.length === 0) return true;
  return !entity.hasMoreUses && entity.uses.every((use) => ofUses.every((key) => matches(scope, key, use)));
}

/** The same for an object to be created. Teams share flows by name: a principal that may create the name creates a flow without uses. */
export function coversNew(scope: Scope, entity: Entity, who: string): boolean {
  if (entity.type !== 'Flow') return covers(scope, entity, who);
  const given = LISTS.filter((key) => counts(scope, key, 'Flow'));
  return (given.length > 0 || scope.own) && (!given.includes('flows') || matches(scope, 'flows', entity));
}

/** `*` at the end stands for anything. */
export function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** True if the key is given and applies to objects of this kind. */
export function counts(scope: Scope, key: ScopeList, type: ResourceType): boolean {
  if (scope[key] === null) return false;
  if (key === 'tags' && type === 'Variable') return scope.variables === null;
  return COUNTS[key].includes(type);
}

/** The same for `own`. */
export function ownCounts(scope: Scope, type: ResourceType): boolean {
  return scope.own && !NOBODYS.includes(type);
}

const IN_RUNS: readonly ResourceType[] = ['FlowRun', 'TaskRun', 'Log', 'Artifact', 'Event'];

const COUNTS: Readonly<Record<ScopeList, readonly ResourceType[]>> = {
  tags: ['Flow', 'Deployment', 'Variable', ...IN_RUNS],
  workPools: ['WorkPool', 'WorkQueue', 'Worker', 'Flow', 'Deployment', ...IN_RUNS],
  deployments: ['Flow', 'Deployment', ...IN_RUNS],
  flows: ['Flow', 'Deployment', ...IN_RUNS],
  variables: ['Variable'],
  blocks: ['BlockDocument'],
  automations: ['Automation'],
  concurrencyLimits: ['ConcurrencyLimit'],
};

const LISTS = Object.keys(COUNTS).filter((key): key is ScopeList => Object.hasOwn(COUNTS, key));

/** Kinds that no principal owns. */
const NOBODYS: readonly ResourceType[] = ['System', 'BlockType', 'Collection', 'Ui', 'SavedSearch'];

function matches(scope: Scope, key: ScopeList, entity: Entity): boolean {
  const values = scope[key] ?? [];
  switch (key) {
    case 'tags':
      return entity.tags.some((tag) => values.includes(tag));
    case 'workPools':
      return entity.workPool !== null && values.includes(entity.workPool);
    case 'deployments':
      return named(values, entity.deployment);
    case 'flows':
      return named(values, entity.flow);
    default:
      return named(values, entity.name);
  }
}

function named(patterns: readonly string[], name: string | null): boolean {
  return name !== null && patterns.some((pattern) => matchesName(pattern, name));
}
