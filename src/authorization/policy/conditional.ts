// The own policies that decide by the object or the request. Roles and lists of rights do not show them.
import type { ResourceConstraint } from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionName, ResourceType } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { loadBuiltInPolicies, type PolicyTexts } from './policies.ts';
import { readsOfEach } from './reads.ts';
import { actionMay, mayMatch, type Scope, typeOf } from './relevant.ts';
import type { ToTree } from './trees.ts';

export interface ConditionalPolicies {
  /** The permits that may apply to this principal and action, on another object or for another request. */
  permitting(asked: ConditionalQuestion): readonly string[];
  /** Permits and forbids of the action, of any principal. */
  of(action: ActionName): readonly string[];
}

export interface ConditionalQuestion {
  readonly principal: Pick<Principal, 'id' | 'kind' | 'roles'>;
  readonly action: ActionName;
  readonly type: ResourceType;
}

export function createConditionalPolicies(policies: PolicyTexts, actions: readonly ActionEntry[], toTree: ToTree): ConditionalPolicies {
  const groups = new Map(actions.map(({ name, group }) => [name, group]));
  const builtIn = loadBuiltInPolicies();
  const own = Object.entries(policies).flatMap(([id, text]) => {
    const tree = Object.hasOwn(builtIn, id) ? undefined : toTree(text);
    if (tree?.type !== 'success') return [];
    const { resource, address, carrier, facts } = readsOfEach({ [id]: text }, toTree)([id]);
    const scope: Scope = { ...tree.json, resource: onAny(tree.json.resource) };
    return [
      { id, scope, isPermit: tree.json.effect === 'permit', isOpen: resource || address || carrier || facts, hasConditions: tree.json.conditions.length > 0 },
    ];
  });
  return {
    permitting({ principal: { id, kind, roles }, action, type }) {
      const asked = { principal: id, roles, action, resource: { type, id: '' } };
      // The tags and the deployment of a run are conditions too: another run may have them.
      const mayDiffer = own.filter(({ isOpen, hasConditions }) => isOpen || (kind === 'run' && hasConditions));
      return mayDiffer.filter(({ isPermit, scope }) => isPermit && mayMatch(scope, asked, groups.get(action))).map((policy) => policy.id);
    },
    of: (action) => own.filter(({ isOpen, scope }) => isOpen && actionMay(scope.action, action, groups.get(action))).map(({ id }) => id),
  };
}

function onAny(resource: ResourceConstraint): ResourceConstraint {
  return resource.op === '==' && 'entity' in resource ? { op: 'is', entity_type: typeOf(resource.entity) } : resource;
}
