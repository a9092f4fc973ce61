// `access ACTION [RESOURCE]`: every principal that may do it, with the role and the policies that permit it.
import type { Config, RoleBinding } from '../../config/config.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { type Grant, scopeText } from '../../contract/scope.ts';
import { createNeedsApproval } from '../approvals/condition.ts';
import type { NeedsApproval } from '../decide/needs-approval.ts';
import { explainAction } from './action.ts';
import type { ExplainerParts } from './explainer.ts';
import type { Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

/** One line of --json. */
export interface AccessLine {
  /** A principal, or a member of lictor.yaml that represents principals without a login so far. */
  readonly principal: string;
  /** Null: no single role permits it. */
  readonly role: string | null;
  /** The scope of the role; null: everything. */
  readonly scope: string | null;
  readonly allowed: boolean;
  /** A rule of `approvals` holds it until a person approves. */
  readonly with_approval: boolean;
  readonly reason: ReasonCode;
  readonly policies: readonly string[];
}

export interface AccessQuestion {
  readonly action: string;
  readonly resource?: string | undefined;
}

export interface AccessSources {
  readonly parts: ExplainerParts;
  readonly config: Pick<Config, 'roles' | 'approvals'>;
  readonly subjects: readonly Subject[];
}

/** A principal, or a member of lictor.yaml without a login so far. */
export interface Subject {
  readonly id: string;
  readonly resolve: () => Promise<ResolvedPrincipal>;
}

/** Principals of the store in the order of `ids`, then the members of lictor.yaml that are none of them. */
export function subjectsOf({ roles }: Pick<Config, 'roles'>, ids: readonly string[], find: (id: string) => Promise<ResolvedPrincipal>): readonly Subject[] {
  const known = new Set(ids.flatMap((id) => [id, `user:${id}`]));
  return [
    ...ids.map((id) => ({ id, resolve: () => find(id) })),
    ...roles.flatMap((binding) =>
      binding.members.filter((member) => !known.has(member)).map((member) => ({ id: member, resolve: async () => unseen(member, binding) })),
    ),
  ];
}

/** Prefect could not be asked about the object, so nobody can say whether this principal may. */
export function isUnknown({ allowed, reason }: Pick<AccessLine, 'allowed' | 'reason'>): boolean {
  return !allowed && REASONS[reason].status === 503;
}

/** A principal that may not do it has one line. Throws as `explainAction` does. */
export async function access({ parts, config, subjects }: AccessSources, question: AccessQuestion): Promise<readonly AccessLine[]> {
  const asked: Asked = { parts: { ...parts, lookup: once(parts.lookup) }, needsApproval: createNeedsApproval(config.approvals) };
  const lines: AccessLine[] = [];
  for (const { resolve } of subjects) lines.push(...(await linesOf(asked, await resolve(), question)));
  return lines;
}

interface Asked {
  readonly parts: ExplainerParts;
  readonly needsApproval: NeedsApproval;
}

/** A line without a role, if none is needed, and one for each role that permits it by further policies. If only all roles together do, one line without a role. */
async function linesOf({ parts, needsApproval }: Asked, person: ResolvedPrincipal, question: AccessQuestion): Promise<readonly AccessLine[]> {
  const { principal } = person;
  const whole = await explainAction(parts, person, question);
  const isHeld = ({ asks }: Explanation): boolean => asks.some(({ action }) => needsApproval(principal, action));
  const lineOf = (explanation: Explanation, grant: Grant | null): AccessLine => {
    const allowed = explanation.decision === 'allow';
    return {
      principal: principal.id,
      role: grant?.role ?? null,
      scope: grant === null || grant.scope === null ? null : scopeText(grant.scope),
      allowed,
      with_approval: allowed && isHeld(explanation),
      reason: explanation.reason,
      policies: policiesOf(explanation),
    };
  };
  if (whole.decision === 'deny') return [lineOf(whole, null)];
  const having = (grants: readonly Grant[]) =>
    explainAction(parts, { ...person, principal: { ...principal, roles: grants.map(({ role }) => role), grants } }, question);
  const bare = await having([]);
  const isFree = bare.decision === 'allow';
  const lines = isFree ? [lineOf(bare, null)] : [];
  const free = isFree ? policiesOf(bare) : [];
  for (const grant of principal.grants) {
    const alone = await having([grant]);
    if (alone.decision === 'allow' && (!isFree || policiesOf(alone).some((id) => !free.includes(id)))) lines.push(lineOf(alone, grant));
  }
  return lines.length === 0 ? [lineOf(whole, null)] : lines;
}

export function policiesOf({ asks }: Pick<Explanation, 'asks'>): readonly string[] {
  return [...new Set(asks.flatMap(({ policies }) => policies.map(({ id }) => id)))];
}

function unseen(member: string, { role, scope }: Pick<RoleBinding, 'role' | 'scope'>): ResolvedPrincipal {
  const principal = { id: member, kind: 'user', idp: null, roles: [role], grants: [{ role, scope }], groups: [], attributes: {}, onBehalfOf: [] } as const;
  return {
    principal,
    hypothetical: true,
    roles: [{ role, scope: scope === null ? null : scopeText(scope), from: ['lictor.yaml'] }],
    refusedAs: null,
    notes: [],
  };
}

/** The question names the same object for every principal, so Lictor asks Prefect once. */
export function once(lookup: ExplainerParts['lookup']): ExplainerParts['lookup'] {
  const answers = new Map<string, ReturnType<typeof lookup>>();
  return (path, filter) => {
    const key = `${path}\n${JSON.stringify(filter ?? null)}`;
    const answer = answers.get(key) ?? lookup(path, filter);
    answers.set(key, answer);
    return answer;
  };
}
