// The decision about Lictor's own pages and API.
import type { Decision } from '../../contract/decision.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { ActionName } from '../../contract/operation.ts';
import { chainOf, type Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Authentication } from '../../identity/authn/authenticator.ts';
import type { Ask } from './asks.ts';
import { type ActionGroups, type Authorization, deniedAs, unproven, withinClientScopes } from './authorization.ts';
import { deniedFor, type NeedsApproval } from './needs-approval.ts';
import type { Ruling } from './rule.ts';
import { restrictionsOf, ruleAll } from './rule-all.ts';

type OwnParts = Parameters<typeof ruleAll>[0] & ActionGroups & { readonly needsApproval?: NeedsApproval };

interface OwnQuestion {
  readonly who: Authentication;
  readonly ask: Ask;
  /** The caller narrows its answer to the restrictions. */
  readonly narrowed: boolean;
}

/** A scope cannot narrow an own page, so a restricted principal is denied unless the caller narrows its answer. */
export async function decideOwn(parts: OwnParts, inputs: EdgeInputs, { who, ask, narrowed }: OwnQuestion): Promise<Authorization> {
  if (!who.ok) return unproven(who);
  const { principal, credential } = who;
  const context = { address: inputs.address, carrier: credential.carrier };
  const rulings = (await ruleAll(parts, { any: false, looked: 'recent' }, { principal, asks: [ask], context })).map((ruling) =>
    narrowed || ruling.restrictions.length === 0 || ruling.decision.enforced !== 'allow' ? ruling : unfiltered(principal, ruling),
  );
  const barrier = barrierOf(parts, principal, ask.action);
  const decisions = rulings.map(({ decision }) => withinClientScopes(parts, credential, decision)).map((each) => withBarrier(each, barrier));
  const denied = decisions.find(({ enforced }) => enforced !== 'allow');
  if (denied === undefined && decisions.length > 0) return { ok: true, principal, credential, decisions, restrictions: restrictionsOf(rulings), entities: [] };
  return { ok: false, reason: denied?.reason ?? 'policy-default-deny', principal, credential, credentialId: credential.id, decisions };
}

/** What else must hold here. Conditions do not see these requests, so no agent of the chain gets any. */
function barrierOf({ needsApproval }: OwnParts, principal: Principal, action: ActionName): ReasonCode | undefined {
  if (chainOf(principal).some(({ kind }) => kind === 'agent')) return 'own-api-unchecked';
  return needsApproval?.(principal, action) === true ? 'approval-impossible' : undefined;
}

function withBarrier(decision: Decision, barrier: ReasonCode | undefined): Decision {
  return decision.enforced === 'allow' && barrier !== undefined ? deniedFor(barrier, decision) : decision;
}

function unfiltered(principal: Principal, ruling: Ruling): Ruling {
  const denied = deniedAs('scope-not-filterable', ruling);
  const other = ruling.restrictions.find(({ principalId }) => principalId !== principal.id);
  const isOwn = other === undefined || ruling.restrictions.some(({ principalId }) => principalId === principal.id);
  return isOwn ? denied : { ...denied, decision: { ...denied.decision, lackedBy: other.principalId } };
}
