// Rights that nobody used: the roles of each principal, compared with the requests of a period.
import { runOfPrincipal } from '../../contract/run-token.ts';
import type { AllowedUse } from '../../record/ledger/allowed-uses.ts';
import type { RoleActions, RoleUse } from '../policy/role-actions.ts';
import { roleUse } from '../policy/role-actions.ts';
import type { Subject } from './access.ts';
import type { ResolvedPrincipal } from './principal.ts';

export interface UnusedLine extends RoleUse {
  readonly principal: string;
  readonly kind: string;
  readonly role: string;
  /** Null: everything. */
  readonly scope: string | null;
  readonly from: readonly string[];
  /** Of the principal in the period, with any right. */
  readonly requests: number;
  readonly last_request: string | null;
  /** The smallest built-in role with every action that the principal used; null: it used none, or no single role has all of them. */
  readonly would_suffice: string | null;
}

/** One line for each role of each principal that can still make requests. */
export async function unusedRights(subjects: readonly Subject[], uses: readonly AllowedUse[], roles: RoleActions): Promise<readonly UnusedLine[]> {
  const byPrincipal = Map.groupBy(uses, ({ principal }) => principal);
  const lines: UnusedLine[] = [];
  for (const { id, resolve } of subjects) {
    const person = await resolve();
    if (person.hypothetical || person.refusedAs !== null || runOfPrincipal(id) !== null) continue;
    lines.push(...linesOf(person, byPrincipal.get(id) ?? [], roles));
  }
  return lines;
}

function linesOf({ principal, roles: held }: ResolvedPrincipal, uses: readonly AllowedUse[], roles: RoleActions): readonly UnusedLine[] {
  const used = new Set(uses.map(({ action }) => action));
  const last = uses.map((use) => use.last).sort();
  return held.map(({ role, scope, from }) => ({
    principal: principal.id,
    kind: principal.kind,
    ...{ role, scope, from },
    ...roleUse(role, used, roles),
    requests: uses.reduce((sum, { requests }) => sum + requests, 0),
    last_request: last.at(-1) ?? null,
    would_suffice: roles.smallestFor(used, principal.kind),
  }));
}
