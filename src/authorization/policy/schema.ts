// The Cedar schema, generated from the catalogue. Lictor validates policies against it.

import type { SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';
import { ACTION_GROUPS, RESOURCE_TYPES } from '../../contract/operation.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { type Attributes, PRINCIPAL_ATTRIBUTES, RESOURCE_ATTRIBUTES } from './attributes.ts';
import { FACTS } from './facts.ts';

/** Entity types besides the resource types. A principal's kind is an attribute, so that policies rarely need to care. */
export const PRINCIPAL = 'Principal';
export const ROLE = 'Role';
export const ACTION = 'Action';

/**
 * One namespace without a name. Principals are members of roles, and routes of their service. Actions are members of their group, which is an
 * action itself (`action in Action::"read"`). Attributes of a resource (attributes.ts) exist only after a lookup, so policies test them with `has`.
 */
export function renderSchema(actions: readonly ActionEntry[]): SchemaJson<string> {
  return {
    '': {
      entityTypes: {
        [ROLE]: {},
        [PRINCIPAL]: { memberOfTypes: [ROLE], shape: record(PRINCIPAL_ATTRIBUTES) },
        ...Object.fromEntries(
          RESOURCE_TYPES.map((type) => [type, { shape: record(RESOURCE_ATTRIBUTES), ...(type === 'ServiceRoute' && { memberOfTypes: ['Service'] }) }]),
        ),
      },
      actions: {
        ...Object.fromEntries(ACTION_GROUPS.map((group) => [group, {}])),
        ...Object.fromEntries(actions.map((action) => [action.name, actionType(action)])),
      },
    },
  };
}

function actionType(action: ActionEntry): SchemaJson<string>[string]['actions'][string] {
  return {
    memberOf: [{ id: action.group }],
    appliesTo: { principalTypes: [PRINCIPAL], resourceTypes: [...action.resources], context: CONTEXT },
  };
}

function record(attributes: Attributes): Type<string> {
  return { type: 'Record', attributes };
}

/** contract/decision.ts, DecisionContext. */
const CONTEXT = record({
  address: { type: 'String' },
  carrier: { type: 'String' },
  facts: record(Object.fromEntries(Object.entries(FACTS).map(([name, type]) => [name, { ...typeOf(type), required: false }]))),
});

function typeOf(type: (typeof FACTS)[keyof typeof FACTS]): Type<string> {
  return type === 'Set' ? { type, element: { type: 'String' } } : { type };
}
