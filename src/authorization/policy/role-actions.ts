// The actions of each built-in role beyond the baseline, and the smallest sufficient role.

import { ACTION_GROUPS, type ActionGroup, type ActionName } from '../../contract/operation.ts';
import { BUILT_IN_ROLES, type BuiltInRole, NOT_FOR_AGENTS } from '../../contract/roles.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import type { PolicyEngine } from './engine.ts';
import { roleMay } from './table.ts';

export interface RoleActions {
  of(role: string): readonly ActionEntry[];
  /** The actions among these that none of the roles gives. */
  beyond(used: ReadonlySet<ActionName>, roles: readonly string[]): readonly ActionName[];
  /** Null: no single role has all of them, or none of them needs a role. */
  smallestFor(used: ReadonlySet<ActionName>, kind: string): string | null;
}

/** Not suggested for others: these roles are for runs and agents only. */
const OF_OTHERS: readonly BuiltInRole[] = ['run', 'agent'];

/** `engine`: only the built-in policies. */
export function createRoleActions(engine: PolicyEngine, actions: readonly ActionEntry[]): RoleActions {
  const special = actions.filter(({ group }) => group !== 'baseline');
  const byRole = new Map<string, readonly ActionEntry[]>(BUILT_IN_ROLES.map((role) => [role, special.filter((action) => roleMay(engine, role, action))]));
  const bySize = [...byRole].sort(([, a], [, b]) => a.length - b.length);
  return {
    of: (role) => byRole.get(role) ?? [],
    beyond: (used, roles) =>
      special.filter((action) => used.has(action.name) && !roles.some((role) => byRole.get(role)?.includes(action) === true)).map(({ name }) => name),
    smallestFor(used, kind) {
      const needed = special.filter(({ name }) => used.has(name));
      if (needed.length === 0) return null;
      return bySize.find(([role, may]) => isRoleFor(kind, role) && needed.every((action) => may.includes(action)))?.[0] ?? null;
    },
  };
}

/** False: no suggestion for principals of this kind. */
export function isRoleFor(kind: string, role: string): boolean {
  if (kind === 'agent') return !NOT_FOR_AGENTS.some((other) => other === role);
  return !OF_OTHERS.some((other) => other === role) && (role !== 'worker' || kind !== 'user');
}

/** A role, and the use of its actions in a period. */
export interface RoleUse {
  /** The number of actions that it permits beyond the baseline. */
  readonly actions: number;
  readonly used: readonly ActionName[];
  readonly unused_groups: readonly ActionGroup[];
}

export function roleUse(role: string, usedByAll: ReadonlySet<ActionName>, roles: RoleActions): RoleUse {
  const may = roles.of(role);
  const used = may.filter(({ name }) => usedByAll.has(name));
  const groups = ACTION_GROUPS.filter((group) => may.some((action) => action.group === group));
  return {
    actions: may.length,
    used: used.map(({ name }) => name),
    unused_groups: groups.filter((group) => !used.some((action) => action.group === group)),
  };
}
