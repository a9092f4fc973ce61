// The table of roles and groups, generated from the policies themselves as docs/reference/roles.md.

import { ACTION_GROUPS, type ActionGroup } from '../../contract/operation.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { everywhere } from '../../contract/scope.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import type { PolicyEngine } from './engine.ts';

/** True when a principal with this one role may do the action on every type that it is for. */
export function roleMay(engine: PolicyEngine, role: string, action: Pick<ActionEntry, 'name' | 'resources'>): boolean {
  return action.resources.every((type) => {
    const principal = {
      id: 'table',
      kind: 'service',
      idp: null,
      roles: [role],
      grants: everywhere([role]),
      groups: [],
      attributes: {},
      onBehalfOf: [],
    } as const;
    const context = { address: '', carrier: 'authorization', facts: {} };
    return engine.evaluate({ principal, action: action.name, resource: { type, id: null }, context }).effect === 'allow';
  });
}

/** Markdown: a table of roles and groups (all, some, none), then every action with the roles that may do it. */
export function renderRolesTable(engine: PolicyEngine, actions: readonly ActionEntry[]): string {
  const roles = [...BUILT_IN_ROLES];
  const groupRows = ACTION_GROUPS.map((group) => row([group, ...roles.map((role) => cell(engine, role, group, actions))]));
  const actionRows = ACTION_GROUPS.flatMap((group) =>
    actions.filter((action) => action.group === group).map((action) => row([`\`${action.name}\``, group, ...roles.map((role) => mark(engine, role, action))])),
  );
  return [
    row(['group', ...roles]),
    row(['---', ...roles.map(() => '---')]),
    ...groupRows,
    '',
    row(['action', 'group', ...roles]),
    row(['---', '---', ...roles.map(() => '---')]),
    ...actionRows,
    '',
  ].join('\n');
}

function cell(engine: PolicyEngine, role: string, group: ActionGroup, actions: readonly ActionEntry[]): string {
  const ofGroup = actions.filter((action) => action.group === group);
  const permitted = ofGroup.filter((action) => roleMay(engine, role, action)).length;
  if (permitted === 0) return '-';
  return permitted === ofGroup.length ? 'all' : `${permitted} of ${ofGroup.length}`;
}

function mark(engine: PolicyEngine, role: string, action: ActionEntry): string {
  return roleMay(engine, role, action) ? 'yes' : '-';
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
