// What would change the answer of an explanation: a role, a scope, a policy, an approval. One sentence each, the least first.
import type { Config } from '../../config/config.ts';
import { BUILT_IN_ROLES, type BuiltInRole } from '../../contract/roles.ts';
import { everywhere } from '../../contract/scope.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import { ALTERNATIVES } from '../../prefect/catalog/actions.ts';
import { createNeedsApproval } from '../approvals/condition.ts';
import { isRoleFor } from '../policy/role-actions.ts';
import { type ExplainerParts, evaluate } from './explainer.ts';
import type { ExplainedAsk, ExplainedPolicy, Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

/** Empty for an allow that needs no approval. `isHeld`: a rule of `approvals` holds it. */
export async function remediesFor(parts: ExplainerParts, person: ResolvedPrincipal, explanation: Explanation, isHeld: boolean): Promise<readonly string[]> {
  const { id } = person.principal;
  if (person.refusedAs !== null) return [`Lictor refuses every request of ${id}: ${explanation.detail} ${explanation.hint}`.trim()];
  const held = isHeld ? ['A rule of approvals in lictor.yaml holds this: a person must approve each request.'] : [];
  const denied = explanation.asks.filter(({ decision }) => decision === 'deny');
  const [first] = denied;
  if (first === undefined) return held;
  if (first.reason === 'policy-forbids') return [forbidWords(first.policies), ...held];
  if (first.reason === 'run-bound') return ['A run may change only itself and the runs below it. No role widens that.'];
  return [...(await roleWords(parts, person, denied)), ...held];
}

/** A rule of `approvals` holds one of its rights. */
export function isHeldBy({ approvals }: Pick<Config, 'approvals'>, { principal }: ResolvedPrincipal, { asks }: Explanation): boolean {
  const needsApproval = createNeedsApproval(approvals);
  return asks.some(({ action }) => needsApproval(principal, action));
}

function forbidWords(policies: readonly ExplainedPolicy[]): string {
  return `${policyWords(policies, 'forbid')} this. No role outweighs a forbid: change the policy.`;
}

function policyWords(policies: readonly Pick<ExplainedPolicy, 'id' | 'file' | 'line'>[], verb: string): string {
  const names = policies.map(({ id, file, line }) => (file === null ? id : `${id} (${file}:${line})`));
  return `${names.length === 1 ? 'The policy' : 'The policies'} ${names.join(', ')} ${names.length === 1 ? `${verb}s` : verb}`;
}

/** Own policies that permit one of the denied actions elsewhere. Empty: there is none. */
function elsewhereWords({ policy, sources }: ExplainerParts, { principal }: ResolvedPrincipal, denied: readonly ExplainedAsk[]): readonly string[] {
  const ids = denied.flatMap(({ action, resource_type: type }) => policy.conditional.permitting({ principal, action, type }));
  const policies = [...new Set(ids)].map((id) => ({ id, file: sources.get(id)?.file ?? null, line: sources.get(id)?.line ?? null }));
  return policies.length === 0 ? [] : [`${policyWords(policies, 'permit')} this to ${principal.id} only on other objects or under other conditions.`];
}

async function roleWords(parts: ExplainerParts, person: ResolvedPrincipal, denied: readonly ExplainedAsk[]): Promise<readonly string[]> {
  const { id, kind, grants } = person.principal;
  const elsewhere = elsewhereWords(parts, person, denied);
  if (kind === 'run') return elsewhere.length > 0 ? elsewhere : [await runWords(parts, person, denied)];
  const enough = await rolesFor(parts, person, denied);
  const scoped = grants.filter(({ role, scope }) => scope !== null && enough.some((each) => each === role));
  const [least, ...others] = enough;
  if (least === undefined && elsewhere.length > 0) return elsewhere;
  if (least === undefined) return [`No built-in role permits this to ${id}. An own policy can: permit the action ${denied[0]?.action ?? ''} for it.`];
  const wider = [...new Set(scoped.map(({ role }) => role))].map(
    (role) => `${id} has the role ${role} on other objects: a scope that covers this one would allow it.`,
  );
  const or = others.length === 0 ? '' : ` So ${others.length === 1 ? 'does' : 'do'} ${others.join(', ')}.`;
  const isRole = person.hypothetical && id.startsWith('role:');
  const easier = await easierWords(parts, person, denied, least);
  return [
    ...elsewhere,
    ...wider,
    ...easier,
    `The role ${least} permits it${isRole ? '.' : `: give it to ${id}, in lictor.yaml or with the account or token.`}${or}`,
  ];
}

async function rolesFor(parts: ExplainerParts, person: ResolvedPrincipal, denied: readonly Wanted[]): Promise<readonly BuiltInRole[]> {
  const enough: BuiltInRole[] = [];
  for (const role of BUILT_IN_ROLES) if (isRoleFor(person.principal.kind, role) && (await suffices(parts, person, { role, denied }))) enough.push(role);
  return enough;
}

/** Lictor may have rejected the request before it read the body. Then the record has the action of the most powerful request, and the person meant another one. */
async function easierWords(parts: ExplainerParts, person: ResolvedPrincipal, denied: readonly ExplainedAsk[], least: BuiltInRole): Promise<readonly string[]> {
  const [first, ...rest] = denied;
  if (first === undefined || rest.length > 0) return [];
  const type = first.resource_type;
  const meant = new Map<BuiltInRole, string[]>();
  for (const action of ALTERNATIVES[first.action] ?? []) {
    const has = await evaluate(parts, person, { action, resource: { type, id: first.resource_id } });
    const [role] = has.decision === 'allow' ? [] : await rolesFor(parts, person, [{ action, resource_type: type }]);
    if (role !== undefined && BUILT_IN_ROLES.indexOf(role) < BUILT_IN_ROLES.indexOf(least)) meant.set(role, [...(meant.get(role) ?? []), actionWords(action)]);
  }
  return [...meant].map(([role, words]) => `If the request was to ${words.join(', or to ')}, the role ${role} is enough.`);
}

/** Only the scope of the worker's roles, or an own policy, gives a run more. */
async function runWords(parts: ExplainerParts, person: ResolvedPrincipal, denied: readonly ExplainedAsk[]): Promise<string> {
  const worker = person.principal.attributes['worker'] ?? 'its worker';
  if (await suffices(parts, person, { role: 'run', denied }))
    return `The roles of ${worker} do not cover this object: a wider scope of its worker role would allow it to the runs of that worker.`;
  const action = denied[0]?.action ?? '';
  return `No flow run may do this, whatever roles ${worker} and the starter of the run have. The flow can use a service token that has the right, or an own policy can permit ${action} to principal in Role::"run".`;
}

type Wanted = Pick<ExplainedAsk, 'action' | 'resource_type'>;

/** With this role alone, on everything. */
async function suffices(
  parts: ExplainerParts,
  person: ResolvedPrincipal,
  { role, denied }: { readonly role: BuiltInRole; readonly denied: readonly Wanted[] },
): Promise<boolean> {
  const { limitedBy: _, ...principal } = person.principal;
  const having = { ...person, principal: { ...principal, roles: [role], grants: everywhere([role]) } };
  for (const { action, resource_type: type } of denied)
    if ((await evaluate(parts, having, { action, resource: { type, id: null } })).decision === 'deny') return false;
  return true;
}
