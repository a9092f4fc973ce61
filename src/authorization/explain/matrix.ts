// The access matrix: principals or roles by actions. Each cell is one explanation in a word.
import type { Config } from '../../config/config.ts';
import type { ActionGroup, ResourceType } from '../../contract/operation.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { Scope } from '../../contract/scope.ts';
import { createNeedsApproval } from '../approvals/condition.ts';
import type { NeedsApproval } from '../decide/needs-approval.ts';
import { once, type Subject } from './access.ts';
import { explainAction } from './action.ts';
import type { ExplainerParts } from './explainer.ts';
import type { ExplainedAsk, Explanation } from './explanation.ts';
import { hypotheticalId, hypotheticalLookup, isOfScope } from './hypothetical.ts';
import type { ResolvedPrincipal } from './principal.ts';

/**
 * `some`: only on the objects in a scope, or on some of the types. `approval`: after a person has approved. `argument`: a policy reads the
 * parameters. `unknown`: Prefect could not be asked.
 */
export const ACCESS_STATES = ['allow', 'some', 'approval', 'argument', 'deny', 'unknown'] as const;
export type AccessState = (typeof ACCESS_STATES)[number];

export interface MatrixColumn {
  readonly action: string;
  readonly group: ActionGroup;
  readonly resources: readonly ResourceType[];
}

export interface MatrixRow {
  readonly id: string;
  readonly kind: string;
  /** `operator on tags=team-a`. */
  readonly roles: readonly string[];
  /** The reason why Lictor refuses each request of it, such as a lock; null: none. */
  readonly refused_as: ReasonCode | null;
  /** One for each column. */
  readonly cells: readonly AccessState[];
}

/** What the matrix is about: one object, any object in a scope, or all objects. */
export interface About {
  readonly resource?: { readonly type: ResourceType; readonly id: string } | undefined;
  readonly scope?: Scope | undefined;
}

export interface MatrixSources {
  readonly parts: ExplainerParts;
  readonly config: Pick<Config, 'approvals'>;
  readonly subjects: readonly Subject[];
  readonly about: About;
}

/** The actions that can be asked about it. */
export function matrixColumns({ actions }: Pick<ExplainerParts, 'actions'>, { resource, scope }: About): readonly MatrixColumn[] {
  const isAsked = (type: ResourceType): boolean => (resource === undefined || type === resource.type) && (scope === undefined || isOfScope(scope, type));
  return actions
    .map(({ name, group, resources }) => ({ action: name, group, resources: resources.filter(isAsked) }))
    .filter(({ resources }) => resources.length > 0);
}

export async function matrixRows({ parts, config, subjects, about }: MatrixSources): Promise<readonly MatrixRow[]> {
  const asked = aboutParts(parts, about);
  const needsApproval = createNeedsApproval(config.approvals);
  const columns = matrixColumns(parts, about);
  const rows: MatrixRow[] = [];
  for (const { resolve } of subjects) {
    const person = await resolve();
    const cells: AccessState[] = [];
    for (const column of columns) cells.push(stateOf(person, await explainCell(asked, person, { ...column, about }), needsApproval));
    const { id, kind } = person.principal;
    rows.push({ id, kind, roles: rolesText(person), refused_as: person.refusedAs, cells });
  }
  return rows;
}

/** One cell. Throws as `explainAction` does. */
export async function explainAbout(
  parts: ExplainerParts,
  person: ResolvedPrincipal,
  { action, about }: { readonly action: string; readonly about: About },
): Promise<Explanation> {
  const column = matrixColumns(parts, about).find((each) => each.action === action);
  return explainCell(aboutParts(parts, about), person, { action, resources: column?.resources ?? [], about });
}

function aboutParts(parts: ExplainerParts, { scope }: About): ExplainerParts {
  return { ...parts, ...(scope === undefined ? { lookup: once(parts.lookup) } : { lookup: hypotheticalLookup(scope), makerOf: async () => null }) };
}

interface Cell {
  readonly action: string;
  readonly resources: readonly ResourceType[];
  readonly about: About;
}

function explainCell(parts: ExplainerParts, person: ResolvedPrincipal, { action, resources, about: { resource, scope } }: Cell): Promise<Explanation> {
  if (resource !== undefined) return explainAction(parts, person, { action, resource: `${resource.type}:${resource.id}` });
  const [first] = resources;
  if (scope === undefined || first === undefined) return explainAction(parts, person, { action });
  return explainAction(parts, person, { action, resource: `${first}:${hypotheticalId(scope, first)}` });
}

export function stateOf({ principal, refusedAs }: ResolvedPrincipal, explanation: Explanation, needsApproval: NeedsApproval): AccessState {
  const { asks, decision, reason } = explanation;
  if (refusedAs !== null) return 'deny';
  if (asks.every((ask) => ask.decision === 'deny') && !explanation.depends_on_body) return REASONS[reason].status === 503 ? 'unknown' : 'deny';
  if (asks.some(({ action }) => needsApproval(principal, action))) return 'approval';
  if (explanation.depends_on_body) return 'argument';
  return decision === 'allow' && !asks.some(isNarrowed) ? 'allow' : 'some';
}

function isNarrowed({ narrowed_to: scopes }: ExplainedAsk): boolean {
  return scopes !== null;
}

function rolesText({ roles }: ResolvedPrincipal): readonly string[] {
  return [...new Set(roles.map(({ role, scope }) => (scope === null ? role : `${role} on ${scope}`)))];
}
