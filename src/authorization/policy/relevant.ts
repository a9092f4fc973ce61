// Selects the policies that may apply to a question, by their scope alone, so that Cedar need not evaluate hundreds of other policies.
import {
  type ActionConstraint,
  type EntityUidJson,
  type PolicyJson,
  type PrincipalConstraint,
  policyToJson,
  type ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import type { PolicyTexts } from './policies.ts';
import { PRINCIPAL, ROLE } from './schema.ts';
import type { ToTree } from './trees.ts';

/** A question in Cedar's terms. */
export interface Asked {
  readonly principal: string;
  readonly roles: readonly string[];
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
}

export interface Relevance {
  /** Questions with the same key have the same policies. The key contains only ids that a policy names. */
  keyOf(asked: Asked): string;
  /** All policies except those whose scope is false for the question, which could neither decide nor fail. An unknown scope counts as true. */
  idsFor(asked: Asked): readonly string[];
}

export function createRelevance(policies: PolicyTexts, actions: readonly ActionEntry[], toTree: ToTree = policyToJson): Relevance {
  const groups = new Map(actions.map(({ name, group }) => [name, group]));
  const scopes = Object.entries(policies).map(([id, text]) => ({ id, scope: scopeOf(text, toTree) }));
  const named = new Set(scopes.flatMap(({ scope }) => (scope === undefined ? [] : [scope.principal, scope.resource].flatMap(namedBy))));
  const unlessUnnamed = (type: string, id: string): string | null => (named.has(nameOf(type, id)) ? id : null);
  return {
    keyOf: ({ principal, roles, action, resource: { type, id } }) =>
      JSON.stringify([unlessUnnamed(PRINCIPAL, principal), roles, action, type, unlessUnnamed(type, id)]),
    idsFor(asked) {
      const group = groups.get(asked.action);
      return scopes.filter(({ scope }) => scope === undefined || mayMatch(scope, asked, group)).map(({ id }) => id);
    },
  };
}

/**
 * The policy for the questions that `idsFor` selects it for: the known constraints of its scope are true for them, so Lictor removes these.
 * Name, conditions and annotations stay. A policy with a number beyond 2^53, which JSON cannot hold, stays as text.
 */
export function withoutScope(text: string, toTree: ToTree): PolicyJson | string {
  const parsed = toTree(text);
  if (parsed.type === 'failure' || !isExactJson(parsed.json)) return text;
  const { principal, action, resource } = parsed.json;
  return {
    ...parsed.json,
    ...(isExactPrincipal(principal) && { principal: ALL }),
    ...(isExactAction(action) && { action: ALL }),
    ...(isExactResource(resource) && { resource: ALL }),
  };
}

const ALL = { op: 'All' } as const;

function isExactJson(node: unknown): boolean {
  if (typeof node === 'number') return Number.isSafeInteger(node);
  if (typeof node !== 'object' || node === null) return typeof node !== 'bigint';
  return Object.values(node).every(isExactJson);
}

/** True when `principalMay` is exact: the constraint is then certainly true. */
function isExactPrincipal(constraint: PrincipalConstraint): boolean {
  if (!('entity' in constraint)) return false;
  return (constraint.op === '==' && typeOf(constraint.entity) === PRINCIPAL) || (constraint.op === 'in' && typeOf(constraint.entity) === ROLE);
}

/** The same of `actionMay`. */
function isExactAction(constraint: ActionConstraint): boolean {
  if (constraint.op === 'All') return true;
  const named = 'entities' in constraint ? constraint.entities : 'entity' in constraint ? [constraint.entity] : undefined;
  return named?.every((entity) => typeOf(entity) === 'Action') === true;
}

/** The same of `resourceMay`. */
function isExactResource(constraint: ResourceConstraint): boolean {
  return (constraint.op === '==' && 'entity' in constraint) || (constraint.op === 'is' && !('in' in constraint));
}

function namedBy(constraint: PrincipalConstraint | ResourceConstraint): readonly string[] {
  return constraint.op === '==' && 'entity' in constraint ? [nameOf(typeOf(constraint.entity), idOf(constraint.entity))] : [];
}

function nameOf(type: string, id: string): string {
  return `${type}::${id}`;
}

export type Scope = Pick<PolicyJson, 'principal' | 'action' | 'resource'>;

function scopeOf(text: string, toTree: ToTree): Scope | undefined {
  const parsed = toTree(text);
  return parsed.type === 'success' ? parsed.json : undefined;
}

export function mayMatch({ principal, action, resource }: Scope, asked: Asked, group: string | undefined): boolean {
  return actionMay(action, asked.action, group) && principalMay(principal, asked) && resourceMay(resource, asked);
}

/** Groups hold actions and nothing else. */
export function actionMay(constraint: ActionConstraint, action: string, group: string | undefined): boolean {
  if (constraint.op === 'All') return true;
  if (constraint.op === '==') return !('entity' in constraint) || idOf(constraint.entity) === action;
  const named = 'entities' in constraint ? constraint.entities : [constraint.entity];
  return named.some((entity) => idOf(entity) === action || idOf(entity) === group);
}

/** Principals are in roles and in nothing else. */
function principalMay(constraint: PrincipalConstraint, { principal, roles }: Asked): boolean {
  if (constraint.op === '==' && 'entity' in constraint) return typeOf(constraint.entity) !== PRINCIPAL || idOf(constraint.entity) === principal;
  if (constraint.op === 'in' && 'entity' in constraint && typeOf(constraint.entity) === ROLE) return roles.includes(idOf(constraint.entity));
  return true;
}

/** Does not check `in` constraints of a resource. */
function resourceMay(constraint: ResourceConstraint, { resource }: Asked): boolean {
  if (constraint.op === '==' && 'entity' in constraint) return typeOf(constraint.entity) === resource.type && idOf(constraint.entity) === resource.id;
  return constraint.op !== 'is' || constraint.entity_type === resource.type;
}

function idOf(entity: EntityUidJson): string {
  return '__entity' in entity ? entity.__entity.id : entity.id;
}

export function typeOf(entity: EntityUidJson): string {
  return '__entity' in entity ? entity.__entity.type : entity.type;
}
