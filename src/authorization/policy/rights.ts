// The table of rights of every route and built-in role, generated from the catalogue and the policies as docs/reference/rights.md.

import type { ActionName, Operation } from '../../contract/operation.ts';
import { BUILT_IN_ROLES, type BuiltInRole } from '../../contract/roles.ts';
import { type ActionEntry, alternativeActions } from '../../prefect/catalog/actions.ts';
import type { PolicyEngine } from './engine.ts';
import { roleMay } from './table.ts';

/** `in part`: the role permits not the route's own action, but an alternative that its body may request. */
export type Right = 'yes' | 'in part' | '-';

export interface RightsParts {
  readonly engine: PolicyEngine;
  readonly actions: readonly ActionEntry[];
}

/** The rights of a principal with this one role, on everything. */
export function rightOn(parts: RightsParts, role: BuiltInRole, operation: Operation): Right {
  if (operation.taken === 'deny') return '-';
  const may = (name: ActionName): boolean => {
    const action = parts.actions.find((known) => known.name === name);
    return action !== undefined && roleMay(parts.engine, role, { ...action, resources: [operation.resource] });
  };
  if (may(operation.action)) return 'yes';
  return alternativeActions(operation).some(may) ? 'in part' : '-';
}

/** Markdown: a row for each route, in the order of their paths. */
export function renderRightsTable(parts: RightsParts, operations: readonly Operation[]): string {
  const rows = operations
    .toSorted((a, b) => (routeOf(a) < routeOf(b) ? -1 : 1))
    .map((operation) => row([`\`${operation.method} ${operation.path}\``, wayOf(operation), `\`${operation.action}\``, ...rightsOf(parts, operation)]));
  const head = ['route', 'way', 'action', ...BUILT_IN_ROLES];
  return [row(head), row(head.map(() => '---')), ...rows, ''].join('\n');
}

function rightsOf(parts: RightsParts, operation: Operation): readonly Right[] {
  return BUILT_IN_ROLES.map((role) => rightOn(parts, role, operation));
}

function wayOf({ taken, operationId }: Operation): string {
  return operationId.startsWith('socket:') ? 'socket' : taken;
}

function routeOf({ path, method }: Operation): string {
  return `${path} ${method}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
