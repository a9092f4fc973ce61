// Which policies can say anything about a question, by their scope alone: Cedar then looks at those, and not at hundreds for other people and actions.
import {
  type ActionConstraint,
  type EntityUidJson,
  type PolicyJson,
  type PrincipalConstraint,
  policyToJson,
  type ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionEntry } from '../catalog/actions.ts';
import type { PolicyTexts } from './policies.ts';
import { PRINCIPAL, ROLE } from './schema.ts';

/** As Cedar is asked. */
export interface Asked {
  readonly principal: string;
  readonly roles: readonly string[];
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
}

/** Left out is only a policy whose scope is false for the question: it could neither decide nor fail. Whatever is not understood stays in. */
export function createRelevance(policies: PolicyTexts, actions: readonly ActionEntry[]): (asked: Asked) => readonly string[] {
  const groups = new Map(actions.map(({ name, group }) => [name, group]));
  const scopes = Object.entries(policies).map(([id, text]) => ({ id, scope: scopeOf(text) }));
  return (asked) => {
    const group = groups.get(asked.action);
    return scopes.filter(({ scope }) => scope === undefined || mayMatch(scope, asked, group)).map(({ id }) => id);
  };
}

type Scope = Pick<PolicyJson, 'principal' | 'action' | 'resource'>;

function scopeOf(text: string): Scope | undefined {
  const parsed = policyToJson(text);
  return parsed.type === 'success' ? parsed.json : undefined;
}

function mayMatch({ principal, action, resource }: Scope, asked: Asked, group: string | undefined): boolean {
  return actionMay(action, asked.action, group) && principalMay(principal, asked) && resourceMay(resource, asked);
}

/** Groups hold actions and nothing else. */
function actionMay(constraint: ActionConstraint, action: string, group: string | undefined): boolean {
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

/** What a resource is in is not looked at. */
function resourceMay(constraint: ResourceConstraint, { resource }: Asked): boolean {
  if (constraint.op === '==' && 'entity' in constraint) return typeOf(constraint.entity) === resource.type && idOf(constraint.entity) === resource.id;
  return constraint.op !== 'is' || constraint.entity_type === resource.type;
}

function idOf(entity: EntityUidJson): string {
  return '__entity' in entity ? entity.__entity.id : entity.id;
}

function typeOf(entity: EntityUidJson): string {
  return '__entity' in entity ? entity.__entity.type : entity.type;
}
