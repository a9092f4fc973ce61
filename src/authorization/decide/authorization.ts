// The answer of the decider, and the refusals that each of its ways has.
import { scopesAllow } from '../../contract/client-scopes.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Entity } from '../../contract/entity.ts';
import type { ActionGroup, ActionName } from '../../contract/operation.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Restriction } from '../../contract/scope.ts';
import type { Authentication } from '../../identity/authn/authenticator.ts';
import type { CredentialOwner } from '../../identity/authn/owner.ts';
import type { Ruling } from './rule.ts';

export type Authorization =
  | {
      readonly ok: true;
      readonly principal: Principal;
      readonly credential: Credential;
      readonly decisions: readonly Decision[];
      /** The mediator or relay must narrow the request to all of them, at most one for each principal, or deny it. Empty: everything is allowed. */
      readonly restrictions: readonly Restriction[];
      /** The object of each decision, in their order; null: Lictor read none. */
      readonly entities: readonly (Entity | null)[];
      /** Set when the principal is observed: what Lictor would have decided. */
      readonly instead?: Authorization;
    }
  | {
      readonly ok: false;
      readonly reason: ReasonCode;
      /** More precise than the reason's own words (denied-detail.ts). */
      readonly detail?: string;
      readonly principal: Principal | null;
      readonly credential: Credential | null;
      readonly credentialId: string | null;
      /** Of a refused credential, for the record alone. */
      readonly owner?: CredentialOwner;
      readonly decisions: readonly Decision[];
      /** As above; left out: Lictor read no object. */
      readonly entities?: readonly (Entity | null)[];
    };

/** The result for a client that is not authenticated. */
export function unproven({ proven, ...refusal }: Extract<Authentication, { ok: false }>): Authorization {
  return { ...refusal, principal: proven?.principal ?? null, credential: proven?.credential ?? null, decisions: [] };
}

export function deniedAs(reason: ReasonCode, ruling: Ruling): Ruling {
  return { ...ruling, decision: { ...ruling.decision, effect: 'deny', enforced: 'deny', reason } };
}

export interface ActionGroups {
  readonly groups: ReadonlyMap<ActionName, ActionGroup>;
}

/** The scopes of a client only remove rights: a deny of the policies stays with its reason. */
export function withinClientScopes({ groups }: ActionGroups, { scopes }: Credential, decision: Decision): Decision {
  if (decision.enforced !== 'allow' || scopesAllow(scopes, groups.get(decision.action))) return decision;
  return { ...decision, effect: 'deny', enforced: 'deny', reason: 'scope-missing' };
}
